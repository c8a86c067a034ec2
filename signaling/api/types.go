package api

import "time"

// Account is a signed-in agent, or one in the administrator's list.
type Account struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	Email string `json:"email" doc:"Address used to sign in, in lower case."`
	Admin bool   `json:"admin" doc:"Administers the installation: may create posts."`
	// Posts are all of one's own, and in an administrator's list those that one
	// administers.
	Posts []PostRole `json:"posts" nullable:"false" doc:"What the account is at which post."`
}

// PostRole is what an account is at a post.
type PostRole struct {
	ID   string `json:"id" doc:"Id of the post."`
	Name string `json:"name" doc:"Name of the post."`
	Role string `json:"role" enum:"agent,administrator,auditor"`
}

// Person is who others see behind an account.
type Person struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// Meeting is a meeting as an agent sees it who has a role in it.
type Meeting struct {
	ID        string     `json:"id"`
	Post      string     `json:"post" doc:"Id of the post it belongs to."`
	Title     string     `json:"title"`
	State     string     `json:"state" enum:"scheduled,open,ended"`
	Organiser Person     `json:"organiser"`
	StartsAt  *time.Time `json:"starts_at,omitempty"`
	EndsAt    *time.Time `json:"ends_at,omitempty"`
	CreatedAt time.Time  `json:"created_at"`
	EndedAt   *time.Time `json:"ended_at,omitempty"`
	Permanent bool       `json:"permanent" doc:"It has no schedule and is opened again and again: what ends is a sitting, until its host ends it for good."`
	Role      string     `json:"role" enum:"host,cohost,participant,observer" doc:"The caller's own."`
	Waiting   int        `json:"waiting" doc:"How many wait in the lobby; 0 to those who do not moderate."`
	Present   int        `json:"present" doc:"Participants in the call."`
	Profile   string     `json:"profile" doc:"Id of the security profile."`
	Locked    bool       `json:"locked" doc:"Nobody new comes in; guests may wait."`
}

// Knock is a request to enter as the hosts see it: a guest's, or an agent's where the
// security profile has everybody but hosts wait.
type Knock struct {
	ID           string     `json:"id"`
	Status       string     `json:"status" enum:"waiting,admitted,denied,withdrawn,expired"`
	Name         string     `json:"name" doc:"As typed by a guest, of the account of an agent; show it isolated (bdi)."`
	Organisation string     `json:"organisation,omitempty"`
	Link         *KnockLink `json:"link" doc:"The link a guest came by, or null."`
	// Agent is there instead of a link.
	Agent     *KnockAgent `json:"agent,omitempty" doc:"An agent of the post, by whose account and no typed name."`
	Since     time.Time   `json:"since" doc:"When the knock was; order the list by it."`
	DecidedAt *time.Time  `json:"decided_at,omitempty"`
	DecidedBy string      `json:"decided_by,omitempty" doc:"Name of the host who decided."`
	Identity  string      `json:"identity,omitempty" doc:"Identity of a guest in the call once admitted."`
	Removed   bool        `json:"removed" doc:"Denied after having been admitted; of an agent expired, who may knock again."`
	Banned    bool        `json:"banned" doc:"Denied for good: whoever is recognised as this person is kept out."`
	SentBack  bool        `json:"sent_back" doc:"Waiting after having been in the call: no new knock."`
	KnownBy   string      `json:"known_by" enum:"link,browser,tab,account" doc:"By what a refused person is recognised."`
	// Permissions are those of an admission.
	Permissions    *Permissions   `json:"permissions,omitempty" doc:"What the guest may do, once admitted."`
	Usual          *Permissions   `json:"usual,omitempty" doc:"What an admission gives unless a host says otherwise, while the guest waits."`
	Messages       []LobbyMessage `json:"messages" nullable:"false" doc:"What hosts and the guest have written, oldest first."`
	Bound          bool           `json:"bound" doc:"The guest's browser keeps a key: it is recognised and can come back. If not, only this tab is."`
	PINPassed      bool           `json:"pin_passed" doc:"The guest knew the link's PIN."`
	NameDiffers    bool           `json:"name_differs" doc:"The name typed is not the one invited."`
	NameSuspicious bool           `json:"name_suspicious" doc:"The name holds characters that can deceive the eye."`
}

// LobbyMessage is a message between hosts and somebody who waits. It is what was
// typed: show it as text, isolated (bdi).
type LobbyMessage struct {
	Seq    int64     `json:"seq" doc:"Order in the thread, from 1; the oldest are forgotten."`
	ByHost bool      `json:"by_host"`
	ByName string    `json:"by_name"`
	Text   string    `json:"text"`
	At     time.Time `json:"at"`
}

// Notice says that somebody waits in a meeting. It names nobody.
type Notice struct {
	Meeting string     `json:"meeting" doc:"Id of the meeting."`
	Title   string     `json:"title"`
	Waiting int        `json:"waiting"`
	Newest  *time.Time `json:"newest,omitempty" doc:"When somebody last knocked of those who wait; absent if all were sent back from the call."`
}

// KnockAgent is the agent who knocks.
type KnockAgent struct {
	Role string `json:"role" enum:"host,cohost,participant,observer" doc:"In the meeting, now; empty: none any more."`
}

// AgentView is what an agent is told of their own way into a meeting.
type AgentView struct {
	Meeting      GuestMeeting `json:"meeting"`
	Role         string       `json:"role" enum:"host,cohost,participant,observer"`
	Knock        *GuestKnock  `json:"knock" doc:"The agent's own knock, or null."`
	HostKnows    bool         `json:"host_knows" doc:"A host's screen has shown this knock."`
	KnownBy      string       `json:"known_by,omitempty" doc:"Name of the host whose screen it was."`
	HostPresent  bool         `json:"host_present" doc:"A host is in the call."`
	HostWatching bool         `json:"host_watching" doc:"A host has the lobby at hand now."`
	Status       string       `json:"status" enum:"entry,waiting,admitted,denied,removed,banned,withdrawn,ended,free" doc:"Where the agent stands. free: joins without asking; admitted: joins because a host has let them in; all others do not come in."`
}

// KnockLink is the link a guest came by.
type KnockLink struct {
	ID        string `json:"id"`
	Label     string `json:"label"`
	Kind      string `json:"kind" enum:"personal,shared"`
	GuestName string `json:"guest_name,omitempty"`
	PIN       bool   `json:"pin" doc:"The link asks for a PIN."`
	Role      string `json:"role" enum:"guest,observer" doc:"What one comes in as by it."`
}

// Participant is somebody in the call.
type Participant struct {
	Identity string `json:"identity"`
	Name     string `json:"name"`
	Role     string `json:"role" enum:"host,cohost,participant,guest,observer"`
	// Permissions of hosts and co-hosts are everything.
	Permissions Permissions `json:"permissions" doc:"What hosts gave; what is forbidden to all is not taken off."`
	Knock       string      `json:"knock,omitempty" doc:"Id of the knock by which a host let them in; absent: none was needed, or it is not told here."`
}

// Permissions are what a host gives with an admission; what is absent is given, but for
// share and files, which are then as the security profile has them.
type Permissions struct {
	Speak  *bool `json:"speak,omitempty"`
	Camera *bool `json:"camera,omitempty"`
	Share  *bool `json:"share,omitempty"`
	Chat   *bool `json:"chat,omitempty"`
	Files  *bool `json:"files,omitempty"`
}

// GuestView is all that a guest is told. Until admission it holds no
// participant, no identity and nothing that opens anything.
type GuestView struct {
	Meeting     GuestMeeting `json:"meeting"`
	Link        GuestLink    `json:"link"`
	Knock       *GuestKnock  `json:"knock" doc:"The guest's own knock, or null."`
	HostKnows   bool         `json:"host_knows" doc:"A host's screen has shown this knock."`
	KnownBy     string       `json:"known_by,omitempty" doc:"Name of the host whose screen it was."`
	HostPresent bool         `json:"host_present" doc:"A host is in the call."`
	Binding     GuestBinding `json:"binding"`
	// HostWatching is also true of a host who only has the lobby open.
	HostWatching bool   `json:"host_watching" doc:"A host has the lobby at hand now."`
	RecognisedBy string `json:"recognised_by" enum:"link,browser,tab" doc:"By what this guest is known again if refused."`
	Status       string `json:"status" enum:"entry,waiting,admitted,denied,removed,banned,withdrawn,expired,ended,revoked" doc:"Which screen the guest sees."`
}

// GuestMeeting is the meeting as a guest sees it.
type GuestMeeting struct {
	Title     string     `json:"title"`
	Organiser string     `json:"organiser"`
	StartsAt  *time.Time `json:"starts_at,omitempty"`
	EndsAt    *time.Time `json:"ends_at,omitempty"`
	TimeZone  string     `json:"time_zone" doc:"Of the meeting's post (IANA): its clocks may show another hour than the guest's."`
	State     string     `json:"state" enum:"scheduled,open,ended"`
	Profile   string     `json:"profile" doc:"Id of the security profile."`
	// ProfileName and Sentence say what holds.
	ProfileName Text `json:"profile_name"`
	Sentence    Text `json:"sentence" doc:"What the security profile means, in one sentence."`
	// KeepChatDays is told before anybody writes.
	KeepChatDays int  `json:"keep_chat_days" doc:"For how many days what is written to everybody in the call is stored; 0: it is not."`
	Locked       bool `json:"locked" doc:"Nobody is let in for the moment; one may wait."`
	// Recording is told before anybody comes in.
	Recording          string `json:"recording" enum:"none,asking,running,paused,interrupted" doc:"Of a recording of the call; nobody is in it who does not agree."`
	RecordingWatchable bool   `json:"recording_watchable,omitempty" doc:"Hosts can watch it on the server, which holds a key to it; else whoever has the archive's key alone can open it."`
}

// GuestLink is the guest's own link.
type GuestLink struct {
	Kind         string    `json:"kind" enum:"personal,shared"`
	GuestName    string    `json:"guest_name,omitempty"`
	Organisation string    `json:"organisation,omitempty"`
	Language     string    `json:"language,omitempty" doc:"BCP 47: which language the page opens in."`
	PIN          bool      `json:"pin" doc:"The next knock needs the link's PIN."`
	ExpiresAt    time.Time `json:"expires_at" doc:"Until when one can ask to enter; who waits by then keeps waiting."`
}

// GuestBinding is what a browser signs at the knock to be recognised later.
type GuestBinding struct {
	Session   string `json:"session" doc:"Id of the lobby session; it opens nothing."`
	Challenge string `json:"challenge"`
	Bound     bool   `json:"bound" doc:"The browser has proved its key."`
}

// GuestKnock is the guest's own knock.
type GuestKnock struct {
	Status       string    `json:"status" enum:"waiting,admitted,denied,withdrawn,expired"`
	Since        time.Time `json:"since"`
	Name         string    `json:"name"`
	Organisation string    `json:"organisation,omitempty"`
	Message      string    `json:"message,omitempty" doc:"What the host wrote with a denial."`
	SentBack     bool      `json:"sent_back" doc:"Waiting after having been in the call."`
	// Messages are the guest's own thread.
	Messages []LobbyMessage `json:"messages" nullable:"false" doc:"What hosts and the guest have written, oldest first. A guest may write once a host has."`
}

// MediaToken opens the call for one identity.
type MediaToken struct {
	URL      string `json:"url" doc:"ws or wss origin to connect to."`
	Token    string `json:"token"`
	Identity string `json:"identity"`
}
