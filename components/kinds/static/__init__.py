"""The kind `static`: a folder of files, on CloudFront or in a container."""
