package client

import "github.com/pion/logging"

// silent drops what Pion has to say: the tap makes it warn of tracks that never start.
type silent struct{}

var _ logging.LoggerFactory = silent{}

func (silent) NewLogger(string) logging.LeveledLogger { return nothing{} }

type nothing struct{}

func (nothing) Trace(string)          {}
func (nothing) Tracef(string, ...any) {}
func (nothing) Debug(string)          {}
func (nothing) Debugf(string, ...any) {}
func (nothing) Info(string)           {}
func (nothing) Infof(string, ...any)  {}
func (nothing) Warn(string)           {}
func (nothing) Warnf(string, ...any)  {}
func (nothing) Error(string)          {}
func (nothing) Errorf(string, ...any) {}
