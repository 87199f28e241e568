// Package chart proves, without a cluster, that the Helm chart makes what Kubernetes and the Prometheus operator take, and that deploy/kubernetes
// is made by it. It holds tests only, and needs helm: make chart.
package chart
