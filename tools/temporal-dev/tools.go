//go:build tools

// Package tools names the Temporal CLI, so that this module pins it and everything it needs: `go install` of a version
// refuses it, since its own go.mod replaces modules. `npm run temporal-dev -- --build` builds it.
package tools

import _ "github.com/temporalio/cli/cmd/temporal"
