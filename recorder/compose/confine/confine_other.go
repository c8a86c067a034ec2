//go:build !linux

package confine

import "errors"

// Missing says what of it all this system does not have.
func Missing() []string { return []string{"this system confines no program"} }

func become(Rules, string, []string) error {
	return errors.New("confine: this system confines no program")
}
