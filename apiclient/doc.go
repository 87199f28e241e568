// Package apiclient asks CloudSSO's ListTasks over HTTP: it obtains
// credentials, signs (ACS3-HMAC-SHA256), sends, retries, decodes and pages.
//
// It keeps no task and judges none: what a page means is for the caller to
// say. It logs nothing and counts nothing; attempts and retries are told to
// hooks. No error, whichever way it is printed or unwrapped, holds a secret, a
// token or a signature.
package apiclient
