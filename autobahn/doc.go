// Command autobahn says what a WebSocket server or client keeps of RFC 6455 and
// RFC 7692.
//
// It plays the cases of package wsspec, the suite of our own: those of the
// Autobahn testsuite and those that it never had. With -engine wstest it runs the
// real Autobahn testsuite instead, the oracle that ours is held against.
//
// A file is a concern:
//
//	main.go    the choice of the engine
//	flags.go   the command line
//	run.go     from the flags to a verdict
//	player.go  who is tested: our server and client, a URL, a command, whoever comes
//	exec.go    a client that is a command
//	tell.go    what people see while it runs and at its end
//	list.go    the list of cases
//	fuzz.go    generated dialogues
//	replay.go  one case, frame by frame
package main
