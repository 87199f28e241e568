// Package command is what the commands of the command line do: it builds the
// other packages' parts, runs them and stops them. Flags are main's.
package command
