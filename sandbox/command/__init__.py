"""The `command` plugin as the sandbox has it: pulumi-command v1.2.1's `local.Command`, without the download."""
