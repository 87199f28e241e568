// Package e2e proves the exporter, its alert rules and its dashboards on the real Prometheus, VictoriaMetrics with vmalert, and
// Alertmanager. It is a module of its own, so that the exporter's stays lean; build.sh builds the programs it runs into bin/.
// It holds tests only.
package e2e
