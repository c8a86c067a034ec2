package audit

import "strings"

// Act names what was done: subject.verb, in the product's words. A new act is one
// line here and one where it is done.
type Act string

// WellFormed reports whether it has the form of an act: lower-case words around a dot.
func (a Act) WellFormed() bool {
	subject, verb, ok := strings.Cut(string(a), ".")
	return ok && len(a) <= 64 && subject != "" && verb != "" && strings.Trim(subject+verb, "abcdefghijklmnopqrstuvwxyz_") == ""
}

// The server. Participants of before a start without a stop before it never left.
const (
	ServerStarted Act = "server.started"
	ServerStopped Act = "server.stopped"
)

// Meetings.
const (
	MeetingCreated   Act = "meeting.created" // typed: title
	MeetingOpened    Act = "meeting.opened"
	MeetingEnded     Act = "meeting.ended"
	MeetingChanged   Act = "meeting.changed"   // another title or schedule; typed: title
	MeetingAdjourned Act = "meeting.adjourned" // a sitting of a permanent one is over
	HostSeated       Act = "host.seated"       // an agent's session got a place in the call
	HostUnseated     Act = "host.unseated"     // and lost it: signed out, or removed by a host

	MemberNamed    Act = "member.named"     // detail: role; because, where no host did it
	MemberUnnamed  Act = "member.unnamed"   // detail: the role that was taken away
	HostAppointed  Act = "host.appointed"   // by an administrator of the post: the account hosts the meeting that nobody hosted
	HostHandedOver Act = "host.handed_over" // the account is the host now, who acted is co-host
	HostsGone      Act = "hosts.gone"       // the last one left the call; detail then, at: what follows, and when
	HostBack       Act = "host.back"        // one is in the call again
)

// Security profiles. Details: profile (its id) and version.
const (
	ProfileCreated Act = "profile.created"
	ProfileChanged Act = "profile.changed"
	ProfileChosen  Act = "meeting.profile_chosen"  // for one meeting; detail from: the one before
	ProfileApplied Act = "meeting.profile_applied" // a new version came into force in one meeting
)

// Guest links.
const (
	LinkCreated  Act = "link.created"  // typed: label, guest_name, organisation
	LinkExtended Act = "link.extended" // the end of its validity was moved, forward or back
	LinkReissued Act = "link.reissued" // a new secret; the old one and its binding are dead
	LinkPINSet   Act = "link.pin_set"  // set, changed or (detail pin: no) taken away
	LinkRevoked  Act = "link.revoked"
	LinkRedeemed Act = "link.redeemed" // rate-bounded; detail unrecorded: left out before
)

// The lobby.
const (
	KnockWaiting   Act = "knock.waiting"  // typed: name, organisation
	KnockAdmitted  Act = "knock.admitted" // detail: the permissions
	KnockDenied    Act = "knock.denied"   // typed: message
	KnockBanned    Act = "knock.banned"   // out until it is lifted; typed: message
	KnockLifted    Act = "knock.lifted"
	KnockMessage   Act = "knock.message" // what was written is not in it; detail to: guest, hosts, or how many guests
	KnockWithdrawn Act = "knock.withdrawn"
	KnockExpired   Act = "knock.expired"   // nobody decided: time, or the end of link or meeting
	AdmissionEnded Act = "admission.ended" // without anybody's judgement on the guest: end of link or meeting
)

// The call.
const (
	ParticipantJoined  Act = "participant.joined"
	ParticipantLeft    Act = "participant.left"
	ParticipantRemoved Act = "participant.removed" // by a host
	// ParticipantSentBack is from the call to the lobby, ParticipantPermitted a
	// change of what somebody in the call may do.
	ParticipantSentBack  Act = "participant.sent_back"
	ParticipantPermitted Act = "participant.permitted" // detail: the permissions
)

// What hosts do in the call. Those of a participant are by a host on one, those of the
// meeting concern everybody but hosts.
const (
	ParticipantMuted         Act = "participant.muted"
	ParticipantAskedToUnmute Act = "participant.asked_to_unmute"
	CameraStopped            Act = "participant.camera_stopped"
	ShareStopped             Act = "participant.share_stopped"
	ParticipantSpotlit       Act = "participant.spotlit" // put in front for all; detail place, from 1
	SpotlightEnded           Act = "spotlight.ended"     // nobody is in front any more
	MeetingMuted             Act = "meeting.muted"
	MeetingAskedToUnmute     Act = "meeting.asked_to_unmute"
	MeetingPermitted         Act = "meeting.permitted" // detail: what everybody may do
	MeetingLocked            Act = "meeting.locked"
	MeetingUnlocked          Act = "meeting.unlocked"
)

// What is kept of the chat. No text of it is ever in the trail. Details: messages, how
// many; of an export after, the number of the message that it follows on.
const (
	ChatExported Act = "chat.exported"
	ChatDeleted  Act = "chat.deleted"
)

// Recordings. Detail: recording, its id. Those of a participant are by the one whose answer it is.
const (
	RecordingAsked       Act = "recording.asked"     // details: policy, keep_days; typed: purpose
	RecordingCancelled   Act = "recording.cancelled" // nothing was taken; detail because
	RecordingAgreed      Act = "recording.agreed"
	RecordingDeclined    Act = "recording.declined"
	RecordingWithdrawn   Act = "recording.withdrawn" // a yes that was taken back
	RecordingStarted     Act = "recording.started"   // detail part
	RecordingPaused      Act = "recording.paused"
	RecordingResumed     Act = "recording.resumed"     // detail part: another than before after an interruption
	RecordingInterrupted Act = "recording.interrupted" // detail because
	RecordingStopped     Act = "recording.stopped"     // nothing more is taken; detail because
	RecordingClosed      Act = "recording.closed"      // what a part became; details: part, bytes, sealed
	RecordingDownloaded  Act = "recording.downloaded"  // before the first byte; detail part, 0: the film
	RecordingWatched     Act = "recording.watched"     // on the server, before the first byte, once in a sitting
	RecordingFilmAgain   Act = "recording.film_again"  // the film that failed is made again, or in another way; detail layout, format
	RecordingShared      Act = "recording.shared"      // with the account; detail until
	RecordingUnshared    Act = "recording.unshared"    // taken back from the account
	RecordingHeld        Act = "recording.held"        // by an administrator of the post: nothing deletes it; typed: reason
	RecordingHoldLifted  Act = "recording.hold_lifted"
	RecordingDeletion    Act = "recording.deletion_begun" // nobody gets it any more; detail because: host or expired
	RecordingDeleted     Act = "recording.deleted"        // nothing is left of it; the same detail
)

// Files in the call. Detail: size in bytes; of a file that was sent to: everyone, hosts or one;
// typed: name. What is in them is nowhere in the trail.
const (
	FileSent    Act = "file.sent"
	FileDeleted Act = "file.deleted" // on the participant who had sent it
)

// Posts and who acts for them.
const (
	PostCreated       Act = "post.created"        // typed: name; told to the installation and to the post
	PostChanged       Act = "post.changed"        // typed: name
	PostMemberAdded   Act = "post.member_added"   // detail: role
	PostMemberChanged Act = "post.member_changed" // detail: role
	PostMemberRemoved Act = "post.member_removed"
	PostKeyAdded      Act = "post.key_added"   // of an archive, to which recordings are sealed; detail: fingerprint
	PostKeyRemoved    Act = "post.key_removed" // detail: fingerprint
)

// Accounts and their sessions.
const (
	SetupOffered     Act = "setup.offered"   // the server printed a set-up link
	AccountSetUp     Act = "account.setup"   // the first one; typed: name, email
	AccountCreated   Act = "account.created" // with an invitation; typed: name, email
	PasswordSet      Act = "password.set"    // ends the account's other sessions
	SessionSignedIn  Act = "session.signed_in"
	SessionSignedOut Act = "session.signed_out"
	SessionEnded     Act = "session.ended" // by its account from another session, or by an administrator on the account

	AccountDisabled Act = "account.disabled" // detail sessions: how many ended by it
	AccountEnabled  Act = "account.enabled"
	AccountReset    Act = "account.reset" // a one-time link; those of before are void
)

// The trail itself. Details: since and until, of the stretch that was asked for.
const (
	AuditExported Act = "audit.exported" // a post's chain, by its auditor
)

// Refusals; rate-bounded (Refusals), so that nobody fills the disk with them.
const (
	SignInRefused   Act = "sign_in.refused"  // detail: with what, problem; typed: email, source
	PasswordRefused Act = "password.refused" // the current one was wrong; typed: source
	CallRefused     Act = "call.refused"     // by the API; detail: operation, problem; typed: source
)
