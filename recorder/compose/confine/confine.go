// Package confine runs a program that may do little: one that decodes what strangers
// sent, and may be taken over by it.
//
// A process can only confine itself. So this program is started again under [Verb], puts
// on itself what [Rules] say (Become), and then becomes the other one, which can take
// nothing of it off.
package confine

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Verb is the argument with which this program is to call Become with those that follow.
const Verb = "confine"

// Rules are what a confined program may do. Beyond what they name it reads the system's
// programs, libraries and fonts and whatever lies beside itself, and writes nothing. It
// has no network, no capabilities, can gain no rights, and starts no process that has more.
type Rules struct {
	Read  []string `json:"read,omitempty"`  // folders, absolute: what is in them
	Write []string `json:"write,omitempty"` // folders, absolute: files in them are read, made, changed and deleted

	CPU    time.Duration `json:"cpu"`    // of processor time
	Memory uint64        `json:"memory"` // bytes of addresses
	File   uint64        `json:"file"`   // bytes of a file
	Open   uint64        `json:"open"`   // files at once
}

// Arguments are those with which this program confines itself and becomes another, Verb
// first.
func (r Rules) Arguments(path string, args []string) ([]string, error) {
	text, err := json.Marshal(r)
	if err != nil {
		return nil, err
	}
	return append([]string{Verb, string(text), path}, args...), nil
}

// errArguments says that this program was not started by Arguments.
var errArguments = errors.New("confine: it needs rules and a program: it is for this program's own use")

// Become confines this process as its arguments say, those of [Rules.Arguments] after
// Verb, and becomes the program that they name, without environment. It returns only an
// error; the process is then good for nothing but to end.
func Become(args []string) error {
	if len(args) < 2 {
		return errArguments
	}
	var rules Rules
	if err := json.Unmarshal([]byte(args[0]), &rules); err != nil {
		return fmt.Errorf("%w: %w", errArguments, err)
	}
	return become(rules, args[1], args[1:])
}
