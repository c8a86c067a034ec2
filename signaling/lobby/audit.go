package lobby

import (
	"strconv"
	"time"

	"aparte/signaling/audit"
	"aparte/signaling/link"
	"aparte/signaling/throttle"
)

// What of the lobby enters the audit trail. Knocks and links tell it themselves
// wherever they change, so that no transition can be forgotten.

// By says who acts from now on, and when.
func (l *Lobby) By(actor audit.Actor, now time.Time) { l.actor, l.now = actor, now }

// Actor is who acts since [Lobby.By].
func (l *Lobby) Actor() audit.Actor { return l.actor }

// Note keeps an act for the audit trail, in order with what the lobby notes. The
// actor (unless the draft names one), the time and the meeting are filled in.
func (l *Lobby) Note(d audit.Draft) {
	if d.Actor.Kind == "" {
		d.Actor = l.actor
	}
	d.Time, d.Meeting = l.now, l.meeting
	l.changes.Audit = append(l.changes.Audit, d)
}

// noteKnock tells a knock's change of state.
func (l *Lobby) noteKnock(before, after Knock) {
	act := func(a audit.Act) audit.Draft {
		return audit.Did(a).On(audit.Knock, after.ID).On(audit.Link, after.Link).On(audit.Account, after.Account)
	}
	permissions := func(d audit.Draft) audit.Draft {
		p := after.Permissions
		return d.WithFlag("speak", p.Speak).WithFlag("camera", p.Camera).WithFlag("share", p.Share).WithFlag("chat", p.Chat).WithFlag("files", p.Files)
	}
	switch {
	case after.Banned() && !before.Banned():
		l.Note(act(audit.KnockBanned).On(audit.Participant, after.Identity).Typed("message", after.Message))
		return
	case after.Status == Admitted && before.Status == Admitted && after.Permissions != before.Permissions:
		l.Note(permissions(act(audit.ParticipantPermitted).On(audit.Participant, after.Identity)))
		return
	case before.Status == after.Status:
		return
	case before.Status == Admitted && after.Status == Waiting:
		l.Note(act(audit.ParticipantSentBack).On(audit.Participant, after.Identity))
		return
	}
	switch after.Status {
	case Waiting:
		if after.OfAgent() {
			l.Note(act(audit.KnockWaiting))
			return
		}
		l.Note(act(audit.KnockWaiting).On(audit.Visit, after.Session).WithFlag("bound", l.sessions[after.Session].Bound()).
			Typed("name", after.Name).Typed("organisation", after.Organisation))
	case Admitted:
		d := act(audit.KnockAdmitted).On(audit.Participant, after.Identity)
		if after.UntilLeft {
			d = d.With("because", "in the call")
		}
		l.Note(permissions(d))
	case Denied:
		if !after.RemovedAt.IsZero() {
			l.Note(act(audit.ParticipantRemoved).On(audit.Participant, after.Identity))
			return
		}
		l.Note(act(audit.KnockDenied).Typed("message", after.Message))
	case Withdrawn:
		l.Note(act(audit.KnockWithdrawn))
	case Expired:
		switch before.Status {
		case Denied:
			l.Note(act(audit.KnockLifted))
		case Admitted:
			if !after.RemovedAt.IsZero() {
				l.Note(act(audit.ParticipantRemoved))
				return
			}
			l.Note(act(audit.AdmissionEnded).On(audit.Participant, after.Identity))
		default:
			l.Note(act(audit.KnockExpired))
		}
	}
}

// noteLink tells that a link was made or changed; before is zero for a new one.
func (l *Lobby) noteLink(before, after link.Link) {
	switch {
	case before.ID == "":
		d := audit.Did(audit.LinkCreated).On(audit.Link, after.ID).With("kind", string(after.Kind)).With("role", string(after.Role)).
			WithTime("valid_from", after.ValidFrom).WithTime("expires_at", after.ExpiresAt).WithFlag("unbound", after.Unbound).
			WithFlag("pin", after.HasPIN()).
			Typed("label", after.Label).Typed("guest_name", after.GuestName).Typed("organisation", after.Organisation)
		if after.MaxUses > 0 {
			d = d.With("max_uses", strconv.Itoa(after.MaxUses))
		}
		l.Note(d)
	case after.Revoked() && !before.Revoked():
		l.Note(audit.Did(audit.LinkRevoked).On(audit.Link, after.ID))
	case after.Issue != before.Issue:
		l.Note(audit.Did(audit.LinkReissued).On(audit.Link, after.ID).With("issue", strconv.Itoa(after.Issue)).
			WithTime("expires_at", after.ExpiresAt).WithFlag("pin", after.HasPIN()))
	case !after.ExpiresAt.Equal(before.ExpiresAt):
		l.Note(audit.Did(audit.LinkExtended).On(audit.Link, after.ID).WithTime("expires_at", after.ExpiresAt))
	case after.PINHash != before.PINHash:
		l.Note(audit.Did(audit.LinkPINSet).On(audit.Link, after.ID).WithFlag("pin", after.HasPIN()))
	}
}

// noteRedeemed tells that a link was opened. Who has it can open it without end,
// so what exceeds redeemedNoted is only counted, in the next that is told.
func (l *Lobby) noteRedeemed(s Session) {
	told := l.redeemed[s.Link]
	bucket, _, ok := told.bucket.Take(redeemedNoted, l.now)
	if !ok {
		told.unrecorded++
		l.redeemed[s.Link] = told
		return
	}
	d := audit.Did(audit.LinkRedeemed).By(audit.Guest, s.ID).On(audit.Link, s.Link).On(audit.Visit, s.ID)
	if told.unrecorded > 0 {
		d = d.With("unrecorded", strconv.Itoa(told.unrecorded))
	}
	l.redeemed[s.Link] = redemptions{bucket: bucket}
	l.Note(d)
}

// redeemedNoted is how many openings of one link are told one by one: a large
// meeting's at once, and 1,440 a day from whoever only opens it.
var redeemedNoted = throttle.Rate{Every: time.Minute, Burst: 200}

// redemptions are the openings of one link.
type redemptions struct {
	bucket     throttle.Bucket
	unrecorded int // since the last one told
}
