// Package simulator is a made-up CloudSSO: an http.Handler that answers
// ListTasks as the reference describes it.
//
// It verifies signature, date and nonce, enforces every rule of every
// parameter, and refuses with errors of the API's form. It is stricter than
// the API where strictness shows a client's mistake: half a pair of
// TargetType/TargetId or PrincipalType/PrincipalId, an unknown or a repeated
// parameter is refused, not ignored.
//
// A [Server] holds directories; a [Directory] holds tasks put by hand or made
// by a [Scenario], a pure function of seed and time. [Rule] and [Fault] say
// what goes wrong and when. Server logs the calls it served. What is
// remembered is bounded: nonces by the time they could be used again, the log
// by number, a scenario's tasks by what can still be listed.
//
// It does not know any client: signing and JSON are written here a second
// time, so that a wrong field name cannot hide on both sides. It has no other
// operation than ListTasks, and no other flow control than its faults.
package simulator
