package role

import "slices"

// Command is something that is asked of a meeting. The zero Command is nobody's.
type Command struct{ row *row }

type row struct {
	name string
	does string
	may  []Role
}

// table is filled while the package is initialised and never changed.
var table []Command

func define(name, does string, may ...[]Role) Command {
	c := Command{&row{name: name, does: does, may: slices.Concat(may...)}}
	table = append(table, c)
	return c
}

// Table is every command, in order.
func Table() []Command { return slices.Clone(table) }

// May tells whether a role may use the command.
func (c Command) May(r Role) bool { return c.row != nil && slices.Contains(c.row.may, r) }

// String is the command's name, in lower case with hyphens.
func (c Command) String() string {
	if c.row == nil {
		return "none"
	}
	return c.row.name
}

// Does says in a sentence what the command does.
func (c Command) Does() string {
	if c.row == nil {
		return ""
	}
	return c.row.does
}

// Who may: the sets that rows are made of.
var (
	host          = []Role{Host}
	hosts         = []Role{Host, Cohost}
	agents        = []Role{Host, Cohost, Participant, Observer}
	present       = []Role{Host, Cohost, Participant, Guest, Observer}
	door          = []Role{Door}
	administrator = []Role{Administrator}
	server        = []Role{Server}
	// knocking may wait in the lobby: guests, and agents who do not moderate.
	knocking = []Role{Door, Guest, Participant, Observer}
)

// The commands, and who may use them.
var (
	// The meeting.
	LookAt = define("look-at", "Look at the meeting: title, time, state, how many are in; hosts see how many wait, too.", agents)
	Join   = define("join", "Come in as an agent: hosts open the meeting by it, others come in once it is open, where the profile has them wait once a host has let them in.", agents)
	Open   = define("open", "Open the meeting without coming in.", hosts)
	Edit   = define("edit", "Change the meeting's title and schedule.", hosts)
	End    = define("end", "End the meeting for all; of a permanent one what is going on, so that it can be opened again.", hosts)
	// EndForGood takes the guest links with it, so that it is the host's alone.
	EndForGood = define("end-for-good", "End the meeting for good, also a permanent one.", host)
	Attendance = define("read-attendance", "See who came, and when, during the meeting and afterwards.", hosts)

	// Who is named.
	ListMembers = define("list-members", "See which agents are named, and as what.", hosts)
	NameMember  = define("name-member", "Name an agent co-host, participant or observer, or take that back.", host)
	HandOver    = define("hand-over", "Make a co-host the host in one's place.", host)

	// The security profile.
	ChooseProfile  = define("choose-profile", "Choose the meeting's security profile.", host)
	PreviewProfile = define("preview-profile", "See what another security profile would change.", hosts)

	// Links.
	ListLinks  = define("list-links", "See the guest links.", hosts)
	MakeLinks  = define("make-links", "Make guest links.", hosts)
	ChangeLink = define("change-link", "Issue a guest link anew, move its end, set its PIN.", hosts)
	RevokeLink = define("revoke-link", "Revoke a guest link, one or all, and remove whoever is in through it.", hosts)
	ReadUses   = define("read-uses", "See who used a guest link.", hosts)

	// The lobby.
	WatchLobby = define("watch-lobby", "Follow the waiting room and who is in.", hosts)
	Admit      = define("admit", "Let in who waits, one or all.", hosts)
	Deny       = define("deny", "Refuse who waits.", hosts)
	Lift       = define("lift", "Lift a refusal.", hosts)
	Ban        = define("ban", "Keep somebody out until it is lifted.", hosts)
	WriteLobby = define("write-lobby", "Write to those who wait.", hosts)

	// Those who are in.
	Remove   = define("remove", "Remove somebody.", hosts)
	SendBack = define("send-back", "Send somebody who was let in back to the waiting room.", hosts)
	Permit   = define("permit", "Change what somebody may do.", hosts)

	// The call.
	Mute       = define("mute", "Mute somebody's microphone, or everybody's but hosts'.", hosts)
	AskUnmute  = define("ask-unmute", "Ask somebody, or everybody, to open the microphone: nobody is unmuted by others.", hosts)
	StopCamera = define("stop-camera", "Stop somebody's camera.", hosts)
	StopShare  = define("stop-share", "Stop somebody's screen share.", hosts)
	PermitAll  = define("permit-all", "Change what everybody but hosts may do.", hosts)
	Spotlight  = define("spotlight", "Put up to three people in front for everybody.", hosts)
	Lock       = define("lock", "Lock the meeting, so that nobody new comes in, or unlock it.", hosts)
	// In the call. What a person may is narrowed further by the permissions they were given.
	ReadChat     = define("read-chat", "Read what is written in the call.", present)
	Chat         = define("chat", "Write to everybody in the call.", present)
	ChatPrivate  = define("chat-private", "Write to the hosts, or to one person, in the call.", present)
	ReadFile     = define("read-file", "Get a file that was sent in the call.", present)
	SendFile     = define("send-file", "Send a file to everybody, to the hosts, or to one person in the call.", []Role{Host, Cohost, Participant, Guest})
	DeleteFile   = define("delete-file", "Delete a file that one has sent oneself; hosts, any.", []Role{Host, Cohost, Participant, Guest})
	React        = define("react", "Show a reaction.", agents, []Role{Guest})
	RaiseHand    = define("raise-hand", "Raise one's hand.", agents, []Role{Guest})
	LowerOwnHand = define("lower-own-hand", "Lower one's own hand.", agents, []Role{Guest})
	LowerHand    = define("lower-hand", "Lower somebody's hand, or all hands.", hosts)
	SetTimer     = define("set-timer", "Start or stop the timer that everybody sees.", hosts)

	// Recording. Whoever publishes nothing is not asked: there is nothing of them to record.
	LookAtRecording     = define("look-at-recording", "See whether the call is recorded, what for, and what one has answered.", present)
	AnswerRecording     = define("answer-recording", "Agree to be recorded, decline, or take one's word back.", []Role{Host, Cohost, Participant, Guest})
	Record              = define("record", "Ask everybody for a recording; start, pause, resume and stop it.", hosts)
	ListRecordings      = define("list-recordings", "See which recordings there are of the meeting.", hosts)
	DownloadRecording   = define("download-recording", "Take a recording away, sealed as it is kept.", hosts, []Role{Colleague})
	WatchRecording      = define("watch-recording", "Watch a recording on the server, where it holds a key to it.", hosts, []Role{Colleague})
	ChooseRecordingFilm = define("choose-recording-film", "Have the film of a recording made in another layout or format.", hosts)
	ShareRecording      = define("share-recording", "Share a recording with a colleague, or take that back.", hosts)
	DeleteRecording     = define("delete-recording", "Delete a recording that is not on hold.", host)
	// HoldRecording binds the host, too, so that it is nobody's who hosts.
	HoldRecording = define("hold-recording", "Put a recording on hold, so that nothing deletes it, or lift that.", administrator)

	// What was kept of the chat, also once the meeting has ended. To delete it is the
	// host's alone, who also chooses whether anything is kept.
	ReadKeptChat   = define("read-kept-chat", "Read and export the messages that the security profile has kept.", hosts)
	DeleteKeptChat = define("delete-kept-chat", "Delete the messages that were kept.", host)

	// Guests, and agents who wait.
	LookAsGuest = define("look-as-guest", "See one's own state.", door, []Role{Guest, Observer})
	Redeem      = define("redeem", "Open a guest link.", door)
	Knock       = define("knock", "Ask to enter.", knocking)
	Withdraw    = define("withdraw", "Stop waiting.", knocking)
	Reply       = define("reply", "Answer the hosts while waiting.", knocking)
	CheckWay    = define("check-way", "Look at one's way to the server: a network check.", door, []Role{Guest, Observer})
	Claim       = define("claim", "Get a media token, once admitted.", door, []Role{Guest, Observer})

	// Administrators of the post, where nobody hosts the meeting any more.
	AppointHost = define("appoint-host", "Name the host of a meeting that nobody hosts any more.", administrator)
	EndOrphan   = define("end-orphan", "End a meeting that nobody hosts any more.", administrator)

	// The program.
	Keep = define("keep", "Follow who comes and goes, look grants up, end what has ended.", server)
)
