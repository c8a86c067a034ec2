package api

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"aparte/signaling/api/strict"
	"aparte/signaling/link"
	"aparte/signaling/role"
)

// Prefix is where the API lives.
const Prefix = "/api/v1"

// maxBody bounds a request body, in bytes; the largest is AdmitAll.
const maxBody = 64 << 10

// largeBodies are the calls whose bodies may be larger.
var largeBodies = map[string]int64{"create-links": 20 << 20, "check-guest-list": link.MaxGuestList + 1}

// Answers of calls: a body, and sometimes a cookie.
type (
	output[T any] struct{ Body T }
	signedIn      struct {
		SetCookie http.Cookie `header:"Set-Cookie"`
		Body      SignedIn
	}
	signedOut struct {
		SetCookie http.Cookie `header:"Set-Cookie"`
	}
)

// Inputs of calls: a body, ids from the path. Fields are spelled out because
// huma does not set those of an unexported embedded struct.
type (
	none         struct{}
	input[T any] struct{ Body T }
	inMeeting    struct {
		ID string `path:"id" maxLength:"64"`
	}
	inPosts struct {
		Post string `query:"post" maxLength:"64" doc:"Id of a post; absent: all of one's own."`
	}
	inPost struct {
		Post string `path:"post" maxLength:"64"`
	}
	inPostMember struct {
		Post    string `path:"post" maxLength:"64"`
		Account string `path:"account" maxLength:"64"`
	}
	inRecipient struct {
		Post      string `path:"post" maxLength:"64"`
		Recipient string `path:"recipient" maxLength:"64"`
	}
	postBody[T any] struct {
		Post string `path:"post" maxLength:"64"`
		Body T
	}
	postMemberBody[T any] struct {
		Post    string `path:"post" maxLength:"64"`
		Account string `path:"account" maxLength:"64"`
		Body    T
	}
	inLink struct {
		ID   string `path:"id" maxLength:"64"`
		Link string `path:"link" maxLength:"64"`
	}
	inKnock struct {
		ID    string `path:"id" maxLength:"64"`
		Knock string `path:"knock" maxLength:"64"`
	}
	inParticipant struct {
		ID       string `path:"id" maxLength:"64"`
		Identity string `path:"identity" maxLength:"64"`
	}
	meetingCSV struct {
		ID      string `path:"id" maxLength:"64"`
		RawBody []byte `contentType:"text/csv" doc:"Commas, semicolons or tabs; the first line names the columns."`
	}
	meetingBody[T any] struct {
		ID   string `path:"id" maxLength:"64"`
		Body T
	}
	linkBody[T any] struct {
		ID   string `path:"id" maxLength:"64"`
		Link string `path:"link" maxLength:"64"`
		Body T
	}
	participantBody[T any] struct {
		ID       string `path:"id" maxLength:"64"`
		Identity string `path:"identity" maxLength:"64"`
		Body     T
	}
	knockBody[T any] struct {
		ID    string `path:"id" maxLength:"64"`
		Knock string `path:"knock" maxLength:"64"`
		Body  T
	}
)

// register adds every call to mux: the table of contents of the API.
func (a *API) register(mux humago.Mux) huma.API {
	h := newHuma(mux)
	open, agent, admin, guest := caller{}, caller{check: a.agent, scheme: "agent"}, caller{check: a.admin, scheme: "agent"}, caller{check: a.guest, scheme: "guest"}

	call(a, h, agent, "get-session", "GET /session", "Who is signed in", a.getSession)
	call(a, h, open, "sign-in", "POST /session", "Sign in with a password", a.signIn)
	call(a, h, open, "sign-in-once", "POST /session/one-time", "Sign in with a one-time code", a.signInOnce)
	call(a, h, open, "sign-out", "DELETE /session", "Sign out", a.signOut)
	call(a, h, open, "set-up", "POST /setup", "Make the first account", a.setUp)
	call(a, h, agent, "list-accounts", "GET /accounts", "List the accounts of the posts one administers", a.listAccounts)
	call(a, h, agent, "create-account", "POST /accounts", "Create an account at a post one administers, and a one-time link for its person", a.createAccount)
	call(a, h, agent, "disable-account", "POST /accounts/{account}/disable", "Shut an account of a post one administers: its sessions, sockets and calls end at once", a.disableAccount)
	call(a, h, agent, "enable-account", "POST /accounts/{account}/enable", "Let the person of an account sign in again", a.enableAccount)
	call(a, h, agent, "reset-account", "POST /accounts/{account}/reset", "Make a one-time link with which the person of an account sets another password; links of before are void", a.resetAccount)
	call(a, h, agent, "list-account-sessions", "GET /accounts/{account}/sessions", "List where an account is signed in", a.listAccountSessions)
	call(a, h, agent, "end-account-session", "DELETE /accounts/{account}/sessions/{session}", "Sign out a browser of an account; its calls and sockets end at once", a.endAccountSession)
	call(a, h, agent, "end-account-sessions", "DELETE /accounts/{account}/sessions", "Sign out every browser of an account; their calls and sockets end at once", a.endAccountSessions)
	call(a, h, agent, "set-password", "PUT /account/password", "Set one's password", a.setPassword)
	call(a, h, agent, "list-sessions", "GET /account/sessions", "List where one is signed in", a.listSessions)
	call(a, h, agent, "end-session", "DELETE /account/sessions/{session}", "Sign out another browser of one's account; its calls and sockets end at once", a.endSession)

	call(a, h, admin, "get-health", "GET /health", "How the server is, for administrators of the installation", a.getHealth)

	call(a, h, agent, "check-network", "POST /network-check", "Begin a network check: a room in which one meets oneself", a.checkNetwork)
	call(a, h, agent, "end-network-check", "DELETE /network-check", "End one's network check", a.endCheck)

	call(a, h, agent, "list-posts", "GET /posts", "List one's posts", a.listPosts)
	call(a, h, admin, "create-post", "POST /posts", "Create a post and name its first administrator: oneself, or another account", a.createPost)
	call(a, h, agent, "edit-post", "PUT /posts/{post}", "Change what is said about a post", a.editPost)
	call(a, h, agent, "list-post-members", "GET /posts/{post}/members", "List the people of a post", a.listPostMembers)
	call(a, h, agent, "add-post-member", "POST /posts/{post}/members", "Have somebody who has an account act for the post, too", a.addPostMember)
	call(a, h, agent, "set-post-member", "PUT /posts/{post}/members/{account}", "Change what somebody is at the post", a.setPostMember)
	call(a, h, agent, "remove-post-member", "DELETE /posts/{post}/members/{account}", "End what somebody is at the post; calls and sockets of its meetings end at once", a.removePostMember)
	call(a, h, agent, "list-recipients", "GET /posts/{post}/recipients", "List the keys of archives to which the post's recordings are sealed", a.listRecipients)
	call(a, h, agent, "add-recipient", "POST /posts/{post}/recipients", "Have the post's recordings sealed to one more key, from the next part on", a.addRecipient)
	call(a, h, agent, "remove-recipient", "DELETE /posts/{post}/recipients/{recipient}", "Have the post's recordings sealed to a key no more, from the next part on", a.removeRecipient)
	call(a, h, agent, "list-orphans", "GET /posts/{post}/orphans", "List the post's meetings that nobody hosts any more", a.listOrphans)
	call(a, h, agent.of(role.AppointHost), "appoint-host", "POST /posts/{post}/orphans/{id}/host", "Name the host of a meeting that nobody hosts any more", a.appointHost)
	call(a, h, agent.of(role.EndOrphan), "end-orphan", "POST /posts/{post}/orphans/{id}/end", "End a meeting that nobody hosts any more", a.endOrphan)
	call(a, h, agent, "get-figures", "GET /posts/{post}/figures", "What the post did, counted from its audit trail", a.getFigures)
	call(a, h, agent, "list-audit", "GET /posts/{post}/audit", "Read the post's audit trail, newest first", a.listAudit)
	call(a, h, agent, "verify-audit", "GET /posts/{post}/audit/verification", "Whether the post's audit trail is as it was written", a.verifyAudit)
	call(a, h, agent, "export-audit", "POST /posts/{post}/audit/export", "Take away a stretch of the post's audit trail, signed; the trail tells of it", a.exportAudit)

	call(a, h, agent, "list-meetings", "GET /meetings", "List the meetings in which one has a role", a.listMeetings)
	call(a, h, agent, "create-meeting", "POST /meetings", "Create a meeting", a.createMeeting)
	call(a, h, agent.of(role.LookAt), "get-meeting", "GET /meetings/{id}", "Look at a meeting", a.getMeeting)
	call(a, h, agent.of(role.Join), "join-meeting", "POST /meetings/{id}/join", "Come in: hosts open the meeting by it; get a media token", a.joinMeeting)
	call(a, h, agent.of(role.End), "end-meeting", "POST /meetings/{id}/end", "End the meeting for all; of a permanent one the sitting", a.endMeeting)
	call(a, h, agent.of(role.EndForGood), "end-meeting-for-good", "POST /meetings/{id}/end-for-good", "End the meeting for good, also a permanent one", a.endMeetingForGood)
	call(a, h, agent.of(role.Attendance), "list-attendance", "GET /meetings/{id}/attendance", "Who came, and when, during the meeting and afterwards", a.listAttendance)
	call(a, h, agent.of(role.LookAt), "get-calendar", "GET /meetings/{id}/calendar", "The meeting as a calendar file", a.getCalendar)
	call(a, h, agent.of(role.Edit), "edit-meeting", "PUT /meetings/{id}", "Change the meeting's title and schedule", a.editMeeting)
	call(a, h, agent.of(role.Remove), "remove-participant", "POST /meetings/{id}/participants/{identity}/remove", "Remove somebody from the call", a.removeParticipant)

	call(a, h, agent, "list-profiles", "GET /profiles", "List the security profiles", a.listProfiles)
	call(a, h, agent, "get-profile", "GET /profiles/{profile}", "Look at a security profile and all its versions", a.getProfile)
	call(a, h, agent, "create-profile", "POST /profiles", "Make a security profile", a.createProfile)
	call(a, h, agent, "change-profile", "PUT /profiles/{profile}", "Change a security profile, at once in every meeting that has it", a.changeProfile)
	call(a, h, agent, "preview-profile", "POST /profiles/{profile}/preview", "See what a change of a security profile would do", a.previewProfile)
	call(a, h, agent.of(role.ChooseProfile), "choose-profile", "PUT /meetings/{id}/profile", "Choose the security profile of a meeting, at once", a.chooseProfile)
	call(a, h, agent.of(role.PreviewProfile), "preview-choice", "POST /meetings/{id}/profile/preview", "See what another security profile would do to a meeting", a.previewChoice)

	call(a, h, agent.of(role.SendBack), "send-back", "POST /meetings/{id}/participants/{identity}/send-back", "Send somebody who was let in from the call back to the lobby", a.sendBack)
	call(a, h, agent.of(role.Permit), "permit", "PUT /meetings/{id}/participants/{identity}/permissions", "Change what somebody in the call who does not moderate may do, at once", a.permit)

	call(a, h, agent.of(role.ListMembers), "list-members", "GET /meetings/{id}/members", "List who is named, the host first", a.listMembers)
	call(a, h, agent.of(role.NameMember), "name-member", "POST /meetings/{id}/members", "Name an agent co-host, participant or observer", a.nameMember)
	call(a, h, agent.of(role.NameMember), "set-member", "PUT /meetings/{id}/members/{account}", "Give a member another role, in the call at once", a.setMember)
	call(a, h, agent.of(role.NameMember), "remove-member", "DELETE /meetings/{id}/members/{account}", "Take a member's role away, and the member out of the call", a.removeMember)
	call(a, h, agent.of(role.HandOver), "hand-over", "POST /meetings/{id}/members/{account}/hand-over", "Make a co-host the host and stay as co-host", a.handOver)
	call(a, h, agent.of(role.NameMember), "set-participant-role", "PUT /meetings/{id}/participants/{identity}/role", "Give an agent in the call another role, at once", a.setParticipantRole)
	call(a, h, agent.of(role.HandOver), "hand-over-in-call", "POST /meetings/{id}/participants/{identity}/hand-over", "Make a co-host in the call the host and stay as co-host", a.handOverInCall)

	call(a, h, agent.of(role.Mute), "mute", "POST /meetings/{id}/call/participants/{identity}/mute", "Close somebody's microphone", a.mute)
	call(a, h, agent.of(role.Mute), "mute-all", "POST /meetings/{id}/call/mute", "Close the microphones of everybody but hosts", a.muteAll)
	call(a, h, agent.of(role.AskUnmute), "ask-unmute", "POST /meetings/{id}/call/participants/{identity}/ask-unmute", "Ask somebody to open the microphone", a.askUnmute)
	call(a, h, agent.of(role.AskUnmute), "ask-unmute-all", "POST /meetings/{id}/call/ask-unmute", "Ask everybody but hosts to open the microphone", a.askUnmuteAll)
	call(a, h, agent.of(role.StopCamera), "stop-camera", "POST /meetings/{id}/call/participants/{identity}/stop-camera", "Stop somebody's camera", a.stopCamera)
	call(a, h, agent.of(role.StopShare), "stop-share", "POST /meetings/{id}/call/participants/{identity}/stop-share", "Stop somebody's screen share", a.stopShare)
	call(a, h, agent.of(role.PermitAll), "permit-all", "PUT /meetings/{id}/call/permissions", "Change what everybody but hosts may do, at once and for whoever comes in later", a.permitAll)
	call(a, h, agent.of(role.Spotlight), "spotlight", "PUT /meetings/{id}/call/spotlight", "Put up to three people in front for everybody", a.spotlight)
	call(a, h, agent.of(role.Lock), "lock", "PUT /meetings/{id}/call/lock", "Lock the meeting, so that nobody new comes in, or unlock it", a.lock)

	call(a, h, agent.of(role.ListLinks), "list-links", "GET /meetings/{id}/links", "List the guest links", a.listLinks)
	call(a, h, agent.of(role.MakeLinks), "create-link", "POST /meetings/{id}/links", "Create a guest link", a.createLink)
	call(a, h, agent.of(role.MakeLinks), "create-links", "POST /meetings/{id}/links/bulk", "Create guest links, all or none", a.createLinks)
	call(a, h, agent.of(role.MakeLinks), "check-guest-list", "POST /meetings/{id}/links/check", "Read a list of guests in CSV without creating anything", a.checkGuestList)
	call(a, h, agent.of(role.RevokeLink), "revoke-all-links", "POST /meetings/{id}/links/revoke-all", "Revoke every guest link and remove whoever is in through one", a.revokeAllLinks)
	call(a, h, agent.of(role.RevokeLink), "revoke-link", "POST /meetings/{id}/links/{link}/revoke", "Revoke a guest link and remove whoever is in through it", a.revokeLink)
	call(a, h, agent.of(role.ChangeLink), "reissue-link", "POST /meetings/{id}/links/{link}/reissue", "Give a guest link a new secret and remove whoever is in through the old one", a.reissueLink)
	call(a, h, agent.of(role.ChangeLink), "extend-link", "POST /meetings/{id}/links/{link}/extend", "Move the end of a guest link's validity", a.extendLink)
	call(a, h, agent.of(role.ChangeLink), "set-link-pin", "PUT /meetings/{id}/links/{link}/pin", "Set, change or take away a guest link's PIN", a.setLinkPIN)
	call(a, h, agent.of(role.ReadUses), "list-link-uses", "GET /meetings/{id}/links/{link}/uses", "Who used a guest link, and what became of it", a.listLinkUses)

	call(a, h, agent.of(role.WatchLobby), "list-knocks", "GET /meetings/{id}/knocks", "List the knocks", a.listKnocks)
	call(a, h, agent.of(role.Admit), "admit-knock", "POST /meetings/{id}/knocks/{knock}/admit", "Let in somebody who waits", a.admitKnock)
	call(a, h, agent.of(role.Deny), "deny-knock", "POST /meetings/{id}/knocks/{knock}/deny", "Refuse somebody who waits", a.denyKnock)
	call(a, h, agent.of(role.Lift), "lift-knock", "POST /meetings/{id}/knocks/{knock}/lift", "Allow somebody who was refused or removed to knock again", a.liftKnock)
	call(a, h, agent.of(role.Ban), "ban-knock", "POST /meetings/{id}/knocks/{knock}/ban", "Keep somebody out until it is lifted: the personal link, the browser behind a shared one, or the agent", a.banKnock)
	call(a, h, agent.of(role.WriteLobby), "write-knock", "POST /meetings/{id}/knocks/{knock}/messages", "Write to somebody who waits", a.writeKnock)
	call(a, h, agent.of(role.WriteLobby), "write-all-knocks", "POST /meetings/{id}/knocks/messages", "Write to everybody who waits", a.writeAllKnocks)
	call(a, h, agent.of(role.Admit), "admit-all-knocks", "POST /meetings/{id}/knocks/admit-all", "Let in everybody who waits", a.admitAllKnocks)

	call(a, h, agent.of(role.LookAt), "get-own-knock", "GET /meetings/{id}/knock", "How one's own way into the meeting stands", a.getOwnKnock)
	call(a, h, agent.of(role.Knock), "knock-as-agent", "POST /meetings/{id}/knock", "Ask to enter, where the security profile has everybody but hosts wait", a.knockAsAgent)
	call(a, h, agent.of(role.Withdraw), "withdraw-as-agent", "POST /meetings/{id}/knock/withdraw", "Stop waiting", a.withdrawAsAgent)
	call(a, h, agent.of(role.Reply), "reply-as-agent", "POST /meetings/{id}/knock/messages", "Answer the hosts while waiting, once one has written", a.replyAsAgent)

	call(a, h, open.of(role.Redeem), "redeem-link", "POST /guest/redeem", "Open a guest link", a.redeemLink)
	call(a, h, open.of(role.Redeem), "challenge-guest", "POST /guest/challenge", "Get a challenge for a browser that comes back by a guest link", a.challengeGuest)
	call(a, h, guest.of(role.LookAsGuest), "get-guest", "GET /guest", "What a guest is told", a.getGuest)
	call(a, h, guest.of(role.Knock), "knock", "POST /guest/knock", "Ask to enter", a.knock)
	call(a, h, guest.of(role.Withdraw), "withdraw", "POST /guest/withdraw", "Stop waiting", a.withdraw)
	call(a, h, guest.of(role.Reply), "reply", "POST /guest/messages", "Answer the hosts, once one has written", a.reply)
	call(a, h, guest.of(role.CheckWay), "guest-check-network", "POST /guest/network-check", "Begin a network check: a room in which one meets oneself", a.guestCheckNetwork)
	call(a, h, guest.of(role.CheckWay), "guest-end-network-check", "DELETE /guest/network-check", "End one's network check", a.guestEndCheck)
	call(a, h, guest.of(role.Claim), "guest-token", "POST /guest/token", "Get a media token, once admitted", a.guestToken)

	call(a, h, agent.of(role.ReadChat), "list-call-messages", "GET /meetings/{id}/call/messages", "What was written in the call and is for oneself", a.callMessages)
	call(a, h, agent.of(role.Chat), "write-call", "POST /meetings/{id}/call/messages", "Write in the call", a.writeCall)
	call(a, h, agent.of(role.ChatPrivate), "write-call-privately", "POST /meetings/{id}/call/private-messages", "Write to the hosts, or to one person, in the call", a.writeCallPrivately)
	call(a, h, agent.of(role.SendFile), "announce-file", "POST /meetings/{id}/call/files", "Announce a file for the call", a.announceFile)
	call(a, h, agent.of(role.SendFile), "send-file", "PUT /meetings/{id}/call/files/{file}", "Send the file that was announced; the call is told once it is whole", a.sendFile)
	call(a, h, agent.of(role.ReadFile), "get-file", "GET /meetings/{id}/call/files/{file}", "Get a file of the call", a.getFile)
	call(a, h, agent.of(role.DeleteFile), "delete-file", "DELETE /meetings/{id}/call/files/{file}", "Delete a file of the call: hosts any, others their own", a.deleteFile)
	call(a, h, agent.of(role.React), "react", "POST /meetings/{id}/call/reactions", "Show a reaction in the call", a.react)
	call(a, h, agent.of(role.RaiseHand), "raise-hand", "PUT /meetings/{id}/call/hand", "Raise one's hand in the call", a.raiseHand)
	call(a, h, agent.of(role.LowerOwnHand), "lower-own-hand", "DELETE /meetings/{id}/call/hand", "Lower one's hand in the call", a.lowerOwnHand)
	call(a, h, agent.of(role.LowerHand), "lower-hand", "DELETE /meetings/{id}/call/hands/{identity}", "Lower somebody's hand in the call", a.lowerHand)
	call(a, h, agent.of(role.LowerHand), "lower-hands", "DELETE /meetings/{id}/call/hands", "Lower all hands in the call", a.lowerHands)
	call(a, h, agent.of(role.SetTimer), "start-timer", "PUT /meetings/{id}/call/timer", "Start the call's timer anew", a.startTimer)
	call(a, h, agent.of(role.SetTimer), "stop-timer", "DELETE /meetings/{id}/call/timer", "Take the call's timer away", a.stopTimer)
	call(a, h, guest.of(role.ReadChat), "guest-list-call-messages", "GET /guest/call/messages", "What was written in the call and is for oneself", a.guestCallMessages)
	call(a, h, guest.of(role.Chat), "guest-write-call", "POST /guest/call/messages", "Write in the call", a.guestWriteCall)
	call(a, h, guest.of(role.ChatPrivate), "guest-write-call-privately", "POST /guest/call/private-messages", "Write to the hosts, or to one of them, in the call", a.guestWriteCallPrivately)
	call(a, h, guest.of(role.SendFile), "guest-announce-file", "POST /guest/call/files", "Announce a file for the call", a.guestAnnounceFile)
	call(a, h, guest.of(role.SendFile), "guest-send-file", "PUT /guest/call/files/{file}", "Send the file that was announced; the call is told once it is whole", a.guestSendFile)
	call(a, h, guest.of(role.ReadFile), "guest-get-file", "GET /guest/call/files/{file}", "Get a file of the call", a.guestGetFile)
	call(a, h, guest.of(role.DeleteFile), "guest-delete-file", "DELETE /guest/call/files/{file}", "Delete a file that one has sent", a.guestDeleteFile)
	call(a, h, guest.of(role.React), "guest-react", "POST /guest/call/reactions", "Show a reaction in the call", a.guestReact)
	call(a, h, guest.of(role.RaiseHand), "guest-raise-hand", "PUT /guest/call/hand", "Raise one's hand in the call", a.guestRaiseHand)
	call(a, h, guest.of(role.LowerOwnHand), "guest-lower-own-hand", "DELETE /guest/call/hand", "Lower one's hand in the call", a.guestLowerOwnHand)

	call(a, h, agent.of(role.ReadKeptChat), "read-kept-chat", "GET /meetings/{id}/kept-chat", "Read the messages that were kept, during the meeting and afterwards", a.readKeptChat)
	call(a, h, agent.of(role.ReadKeptChat), "export-kept-chat", "POST /meetings/{id}/kept-chat/export", "Take the messages away that were kept; the audit trail tells who did", a.exportKeptChat)
	call(a, h, agent.of(role.DeleteKeptChat), "delete-kept-chat", "DELETE /meetings/{id}/kept-chat", "Delete all messages that were kept", a.deleteKeptChat)

	call(a, h, agent.of(role.LookAtRecording), "get-recording", "GET /meetings/{id}/call/recording", "Whether the call is recorded, what for, and what one has answered", a.getRecording)
	call(a, h, agent.of(role.AnswerRecording), "answer-recording", "POST /meetings/{id}/call/recording/answer", "Agree to be recorded, decline, or take one's word back, at once", a.answerRecording)
	call(a, h, agent.of(role.Record), "ask-recording", "POST /meetings/{id}/call/recording/ask", "Ask everybody in the call, and who comes later, whether they agree to be recorded", a.askRecording)
	call(a, h, agent.of(role.Record), "start-recording", "POST /meetings/{id}/call/recording/start", "Record those who have agreed, and whoever agrees from now on", a.startRecording)
	call(a, h, agent.of(role.Record), "pause-recording", "POST /meetings/{id}/call/recording/pause", "Record nothing until it is resumed", a.pauseRecording)
	call(a, h, agent.of(role.Record), "resume-recording", "POST /meetings/{id}/call/recording/resume", "Go on recording after a pause or an interruption", a.resumeRecording)
	call(a, h, agent.of(role.Record), "stop-recording", "POST /meetings/{id}/call/recording/stop", "Stop recording; one that has not started is forgotten with all answers", a.stopRecording)
	call(a, h, guest.of(role.LookAtRecording), "guest-get-recording", "GET /guest/call/recording", "Whether the call is recorded, what for, and what one has answered", a.guestGetRecording)
	call(a, h, guest.of(role.AnswerRecording), "guest-answer-recording", "POST /guest/call/recording/answer", "Agree to be recorded, decline, or take one's word back, at once", a.guestAnswerRecording)
	call(a, h, agent.of(role.ListRecordings), "list-recordings", "GET /meetings/{id}/recordings", "List the meeting's recordings", a.listRecordings)
	call(a, h, agent.of(role.DownloadRecording), "download-recording", "GET /meetings/{id}/recordings/{recording}/parts/{part}", "Take a part of a recording away, as it is kept; the audit trail tells who did", a.downloadRecording)
	call(a, h, agent.of(role.WatchRecording), "watch-recording", "GET /meetings/{id}/recordings/{recording}/film", "Watch a recording, where the server holds a key to it; the audit trail tells who did, once in a sitting", a.watchRecording)
	call(a, h, agent.of(role.WatchRecording), "get-recording-captions", "GET /meetings/{id}/recordings/{recording}/film/captions", "Who speaks when in a recording's film", a.getCaptions)
	call(a, h, agent.of(role.WatchRecording), "get-recording-chapters", "GET /meetings/{id}/recordings/{recording}/film/chapters", "The chapters of a recording's film", a.getChapters)
	call(a, h, agent.of(role.WatchRecording), "compose-recording", "POST /meetings/{id}/recordings/{recording}/film/again", "Have the film of a recording made again that failed", a.filmAgain)
	call(a, h, agent.of(role.ChooseRecordingFilm), "choose-recording-film", "PUT /meetings/{id}/recordings/{recording}/film", "Have the film of a recording made in another layout or format, in place of the one that is there, which stays until then", a.chooseFilm)
	call(a, h, agent, "get-node-key", "GET /node-key", "The key that verifies this server's recordings", a.nodeKey)
	call(a, h, agent.of(role.DeleteRecording), "delete-recording", "DELETE /meetings/{id}/recordings/{recording}", "Delete a recording that has stopped", a.deleteRecording)
	call(a, h, agent.of(role.ShareRecording), "share-recording", "POST /meetings/{id}/recordings/{recording}/shares", "Share a recording with a colleague of the post until a time, or change the time", a.shareRecording)
	call(a, h, agent.of(role.ShareRecording), "unshare-recording", "DELETE /meetings/{id}/recordings/{recording}/shares/{account}", "Take a recording back; a download under way ends", a.unshareRecording)
	call(a, h, agent.of(role.HoldRecording), "hold-recording", "PUT /posts/{post}/meetings/{id}/recordings/{recording}/hold", "Put a recording of the post on hold: nothing deletes it until that is lifted", a.holdRecording)
	call(a, h, agent.of(role.HoldRecording), "lift-hold", "DELETE /posts/{post}/meetings/{id}/recordings/{recording}/hold", "Lift a hold; what has expired goes with the next sweep", a.liftHold)
	call(a, h, agent, "find-recordings", "GET /recordings", "List the recordings of meetings that one hosts, those that are shared with one, and those of posts that one administers", a.findRecordings)

	socket[HostMessage, HostCommand](h, "agent", "host-socket", "/meetings/{id}/host", "Follow a meeting as a host (WebSocket)")
	socket[AgentMessage, NoticeCommand](h, "agent", "agent-lobby-socket", "/meetings/{id}/lobby", "Follow one's own way into the meeting as an agent (WebSocket)")
	socket[NoticeMessage, NoticeCommand](h, "agent", "notice-socket", "/agent/notices", "Be told where people wait, in all of one's meetings (WebSocket)")
	socket[GuestMessage, GuestHello](h, "", "lobby-socket", "/guest/lobby", "Wait in the lobby (WebSocket)")
	tidy(h.OpenAPI().Components.Schemas.Map())
	return h
}

func newHuma(mux humago.Mux) huma.API {
	format := huma.Format{
		Marshal:   func(w io.Writer, v any) error { return json.NewEncoder(w).Encode(v) },
		Unmarshal: strict.Decode,
	}
	return humago.NewWithPrefix(mux, Prefix, huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI: "3.1.0",
			Info:    &huma.Info{Title: "Aparté", Version: "1", Description: "Meetings, guest links and the lobby."},
			Servers: []*huma.Server{{URL: Prefix}},
			Components: &huma.Components{
				Schemas: huma.NewMapRegistry("#/components/schemas/", huma.DefaultSchemaNamer),
				SecuritySchemes: map[string]*huma.SecurityScheme{
					"agent": {Type: "apiKey", In: "cookie", Name: "__Host-aparte", Description: "An agent's session; the cookie is called aparte where the public URL is plain http."},
					"guest": {Type: "http", Scheme: "bearer", Description: "A guest's lobby session."},
				},
			},
		},
		Formats:       map[string]huma.Format{"application/json": format, "json": format},
		DefaultFormat: "application/json",
		Transformers:  []huma.Transformer{ours},
		// Without OpenAPIPath: contract.go serves the document, in the one form that is checked.
	})
}

// caller is who may make a call; check runs before anything of the body is read.
type caller struct {
	check   func(huma.Context) (context.Context, error)
	scheme  string
	command role.Command // that the call gives to a meeting; zero: none
}

// of is the caller of a command.
func (c caller) of(command role.Command) caller {
	c.command = command
	return c
}

// commandExtension names in the API's description the command that a call gives to a
// meeting, by which the table of roles rules it (docs/roles.md).
const commandExtension = "x-command"

// call registers one operation; route is "METHOD /path".
func call[I, O any](a *API, h huma.API, who caller, id, route, summary string, handle func(context.Context, *I) (*O, error)) {
	method, path := splitRoute(route)
	bound := int64(maxBody)
	if larger, ok := largeBodies[id]; ok {
		bound = larger
	}
	op := huma.Operation{
		OperationID: id, Method: method, Path: path, Summary: summary,
		MaxBodyBytes: bound, BodyReadTimeout: 10 * time.Second,
		Responses: map[string]*huma.Response{"default": problemResponse(h)},
	}
	switch {
	case slices.Contains([]string{"create-meeting", "create-link", "create-links", "create-account", "create-profile", "create-post", "add-post-member", "add-recipient", "announce-file", "guest-announce-file"}, id):
		op.DefaultStatus = http.StatusCreated
	case reflect.TypeFor[O]() == reflect.TypeFor[none]() || reflect.TypeFor[O]() == reflect.TypeFor[signedOut]():
		op.DefaultStatus = http.StatusNoContent
	}
	if octets[id] {
		op.RequestBody = &huma.RequestBody{Required: true, Content: octetContent()}
	}
	if octetsOut[id] {
		op.Responses["200"] = &huma.Response{Description: "The file, to be kept: never shown where it comes from", Content: octetContent()}
	}
	if id == "download-recording" {
		op.Responses["200"] = &huma.Response{Description: "The part, to be kept; a range of it is 206 (RFC 9110)", Content: map[string]*huma.MediaType{tarType: {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}}}
	}
	if answer := filmResponses[id]; answer != nil {
		op.Responses["200"] = answer
	}
	if id == "get-calendar" {
		op.Responses["200"] = &huma.Response{Description: "iCalendar (RFC 5545)", Content: calendarContent()}
	}
	if who.scheme != "" {
		op.Security = []map[string][]string{{who.scheme: {}}}
	}
	if who.command != (role.Command{}) {
		op.Extensions = map[string]any{commandExtension: who.command.String()}
	}
	if who.check != nil {
		op.Middlewares = huma.Middlewares{func(ctx huma.Context, next func(huma.Context)) {
			known, err := who.check(ctx)
			if err != nil {
				p := a.asProblem(ctx.Context(), err)
				a.noteRefused(ctx.Context(), op, struct{ ID string }{ctx.Param("id")}, p)
				writeProblem(ctx, p)
				return
			}
			next(huma.WithContext(ctx, known))
		}}
	}
	huma.Register(h, op, func(ctx context.Context, in *I) (*O, error) {
		var out *O
		err := ledFromElsewhere(ctx, op)
		if err == nil {
			out, err = handle(ctx, in)
		}
		if err != nil {
			p := a.asProblem(ctx, err)
			a.noteRefused(ctx, op, *in, p)
			return nil, p
		}
		return out, nil
	})
}

// socket documents a WebSocket; its handler is not huma's.
func socket[Down, Up any](h huma.API, scheme, id, path, summary string) {
	registry := h.OpenAPI().Components.Schemas
	down := registry.Schema(reflect.TypeFor[Down](), true, "")
	up := registry.Schema(reflect.TypeFor[Up](), true, "")
	op := &huma.Operation{
		OperationID: id, Method: http.MethodGet, Path: path, Summary: summary,
		Description: "JSON text frames: " + down.Ref + " from the server, " + up.Ref + " from the client.",
		Responses: map[string]*huma.Response{
			"101":     {Description: "WebSocket"},
			"default": problemResponse(h),
		},
	}
	if scheme != "" {
		op.Security = []map[string][]string{{scheme: {}}}
	}
	if strings.Contains(path, "{id}") {
		op.Parameters = []*huma.Param{{Name: "id", In: "path", Required: true, Schema: &huma.Schema{Type: huma.TypeString}}}
	}
	h.OpenAPI().AddOperation(op)
}

// tidy says what huma's schemas cannot: a reference that may be null, and that
// errors are Problems alone.
func tidy(schemas map[string]*huma.Schema) {
	for schema, field := range map[string]string{"GuestView": "knock", "AgentView": "knock", "Knock": "link"} {
		may := schemas[schema].Properties[field]
		schemas[schema].Properties[field] = &huma.Schema{
			Description: may.Description,
			OneOf:       []*huma.Schema{{Ref: may.Ref}, {Type: "null"}},
		}
	}
	delete(schemas, "ErrorModel")
	delete(schemas, "ErrorDetail")
}

func problemResponse(h huma.API) *huma.Response {
	schema := h.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[Problem](), true, "")
	return &huma.Response{
		Description: "Problem (RFC 9457)",
		Content:     map[string]*huma.MediaType{"application/problem+json": {Schema: schema}},
	}
}

func splitRoute(route string) (method, path string) {
	for i := range route {
		if route[i] == ' ' {
			return route[:i], route[i+1:]
		}
	}
	return route, "/"
}
