package api

// Messages of the two sockets, one JSON text frame each.

// HostMessage goes to a host. Which fields it carries depends on its type:
// snapshot: meeting, knocks, participants; knock: knock; meeting: meeting;
// participants: participants.
type HostMessage struct {
	Type         string        `json:"type" enum:"snapshot,knock,meeting,participants"`
	Seq          uint64        `json:"seq" doc:"Grows by one with each message of this socket."`
	Meeting      *Meeting      `json:"meeting,omitempty"`
	Knocks       []Knock       `json:"knocks,omitzero" nullable:"false"`
	Knock        *Knock        `json:"knock,omitempty"`
	Participants []Participant `json:"participants,omitzero" nullable:"false"`
}

// HostCommand comes from a host: the knocks in messages up to seq are on the
// screen. Without seq: those in every message received so far.
type HostCommand struct {
	Type string `json:"type" enum:"seen"`
	Seq  uint64 `json:"seq,omitempty"`
}

// GuestHello is the first frame on the lobby socket, within 5 seconds.
type GuestHello struct {
	Session string `json:"session"`
}

// GuestMessage goes to a guest, at once and on every change.
type GuestMessage struct {
	Type  string    `json:"type" enum:"state"`
	Guest GuestView `json:"guest"`
}

// AgentMessage goes to an agent who follows their own way in, at once and on every change.
type AgentMessage struct {
	Type  string    `json:"type" enum:"state"`
	Agent AgentView `json:"agent"`
}

// NoticeMessage goes to an agent, at once and on every change: where people
// wait, whoever knocked last first. A meeting that is not in it has nobody
// waiting.
type NoticeMessage struct {
	Type    string   `json:"type" enum:"notices"`
	Notices []Notice `json:"notices" nullable:"false"`
}

// NoticeCommand is nothing: a client has nothing to say on this socket.
type NoticeCommand struct{}
