//go:build tools

// Package tools names what is built: the YAML language host, at the version that go.mod pins.
package tools

import _ "github.com/pulumi/pulumi-yaml/cmd/pulumi-language-yaml"
