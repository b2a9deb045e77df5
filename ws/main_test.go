package ws_test

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"testing"
)

// What a broken rule breaks else, and how long that takes to be noticed, is
// hard to foresee: hundreds of tests send frames. So a run of the whole package
// begins with the tests of the rules, and goes on to those of the pure parts by
// themselves. If one fails, its name comes first and nothing else is run.
var firstTests = []string{
	"^TestRules$",
	"^Test(ParseHeader|ParseHeaderRefuses|AppendHeader|AppendFrame|HeaderRoundTrip|Opcode|MaskRFC|MaskInPieces|UTF8|" +
		"CloseCodes|ParseClose|StateTable|Receiver|ReceiverGlued|ReceiverMasking|ReceiverStepByStep|" +
		"AcceptKey|CheckRequestPasses|CheckResponsePasses)$",
}

func TestMain(m *testing.M) {
	flag.Parse()
	if wholePackage() && !rulesHold() {
		fmt.Println("FAIL: these tests come first, and no other was run; to run them all: go test -run .")
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// wholePackage reports whether no test was asked for by its name.
func wholePackage() bool {
	for _, name := range []string{"run", "skip", "list", "bench", "fuzz", "fuzzworker"} {
		if f := flag.Lookup("test." + name); f != nil && f.Value.String() != f.DefValue {
			return false
		}
	}
	return true
}

// rulesHold runs firstTests in processes of their own, as Run counts once and
// can be called once. It shows the output of one that fails.
func rulesHold() bool {
	ok := true
	for _, pattern := range firstTests {
		args := []string{"-test.run=" + pattern, "-test.timeout=2m"}
		if v := flag.Lookup("test.v").Value.String(); v != "false" {
			args = append(args, "-test.v="+v)
		}
		out, err := exec.Command(os.Args[0], args...).CombinedOutput()
		if _, ran := err.(*exec.ExitError); ran {
			os.Stdout.Write(out)
			ok = false
		}
	}
	return ok
}
