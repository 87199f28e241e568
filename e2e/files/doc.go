// Package files proves, without running anything, that what people hand to other programs is valid: the alerting rules and their
// runbooks, the queries of the dashboards, the manifests and configurations in deploy/. It holds tests only.
package files
