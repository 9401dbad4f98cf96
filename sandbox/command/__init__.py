"""The sandbox's `command` plugin: pulumi-command v1.2.1's `local.Command`, without the download."""
