"""The AWS of the sandbox: moto, with the rules and the CloudFront that moto lacks, and the `aws` plugin's stand-in."""
