// Package wstest runs the real Autobahn testsuite, wstest, against a WebSocket
// server, a WebSocket client, or both, and judges what it found. It is the oracle
// that the suite of package wsspec is held against.
//
// The testsuite itself always exits with 0 and knows nothing of what is expected
// of a testee. This package finds or installs the suite, starts the testee and the
// suite, splits the cases over several suites where that saves time, and compares
// every verdict, of the behaviour and of the closing handshake, and the set of
// case ids, with the reviewed file expectations.txt.
//
// A file is a concern:
//
//	cases.go    the 517 case ids, and patterns that choose among them
//	expect.go   expectations.txt: the reviewed exceptions
//	judge.go    results against expectations
//	suite.go    finding the suite: PATH, Docker, Python 2.7
//	install.go  the virtualenv in the user's cache folder
//	docker.go   the suite in a container
//	spec.go     shards and the JSON files wstest reads
//	main.go     the flags, and a run of both roles
//	run.go      one role from start to verdict
//	watch.go    progress, and the deadlines
//	proc.go     child processes that do not outlive us
//	server.go   our server as the testee
//	report.go   the merged report, the table and the differences
package wstest
