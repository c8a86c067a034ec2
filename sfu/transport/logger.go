package transport

import (
	"fmt"
	"log/slog"
	"strings"

	"github.com/pion/logging"
)

// loggerFactory sends Pion's errors and warnings to slog at debug level: they
// tell about peers' packets, which are no news for an operator. Scope "pc" is
// silent: it complains about the tracks we do not let Pion read.
// Scope "srtp" has no other way to tell of packets that it drops.
type loggerFactory struct {
	log   *slog.Logger
	count *counters
}

func (f loggerFactory) NewLogger(scope string) logging.LeveledLogger {
	if scope == "pc" {
		return leveled{slog.New(slog.DiscardHandler), scope}
	}
	l := leveled{f.log, scope}
	if scope == "srtp" {
		return srtpLogger{l, f.count}
	}
	if scope == "sctp" {
		return sctpLogger{l, f.count}
	}
	return l
}

// sctpLogger counts what pion/sctp says of packets that it does not take; it tells
// of them nowhere else. What it could not send, or answered too late, is not a
// client's fault.
type sctpLogger struct {
	leveled
	count *counters
}

func (l sctpLogger) Warnf(f string, a ...any) {
	l.note(f)
	l.leveled.Warnf(f, a...)
}

func (l sctpLogger) Errorf(f string, a ...any) {
	l.note(f)
	l.leveled.Errorf(f, a...)
}

func (l sctpLogger) note(what string) {
	for _, word := range []string{"parse", "validating", "violation", "handle", "Heartbeat", "FwdTSN"} {
		if strings.Contains(what, word) {
			l.count.sctp.Add(1)
			return
		}
	}
}

// srtpLogger counts what pion/srtp says at level Info: one line for each packet
// that it does not decrypt.
type srtpLogger struct {
	leveled
	count *counters
}

func (l srtpLogger) Info(m string) {
	if strings.HasSuffix(m, "duplicated packet") {
		l.count.replayed.Add(1)
		return
	}
	l.count.forged.Add(1)
}

// leveled names its scope with each line: Pion makes a logger for every part of a
// connection, and slog would keep a copy of what all lines of one have in common.
type leveled struct {
	log   *slog.Logger
	scope string
}

func (l leveled) Trace(string)              {}
func (l leveled) Tracef(string, ...any)     {}
func (l leveled) Debug(string)              {}
func (l leveled) Debugf(string, ...any)     {}
func (l leveled) Info(string)               {}
func (l leveled) Infof(string, ...any)      {}
func (l leveled) Warn(m string)             { l.log.Debug(m, "scope", l.scope) }
func (l leveled) Warnf(f string, a ...any)  { l.log.Debug(fmt.Sprintf(f, a...), "scope", l.scope) }
func (l leveled) Error(m string)            { l.log.Debug(m, "scope", l.scope) }
func (l leveled) Errorf(f string, a ...any) { l.log.Debug(fmt.Sprintf(f, a...), "scope", l.scope) }
