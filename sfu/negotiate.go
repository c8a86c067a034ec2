package sfu

import (
	"github.com/livekit/protocol/livekit"

	"aparte/sfu/transport"
)

// offered answers an offer of the client, in order and at once. In single
// connection mode the answer carries what we send on the sections it keeps free.
func (s *Session) offered(o *livekit.SessionDescription) {
	if !s.paced(s.offerRate, 1) {
		return
	}
	var want []transport.Outgoing
	if s.single {
		want = s.outgoing()
	}
	answer, err := s.pub.Answer(o.GetSdp(), want)
	if err != nil {
		s.fail("answer an offer", err)
		return
	}
	s.sections = answer.Sections
	s.answering = true
	s.match()
	s.answering = false
	if err := answer.Tune(s.tunings()); err != nil {
		s.fail("write an answer", err)
		return
	}
	s.pub.SetSections(s.receiving())
	s.send(&livekit.SignalResponse{Message: &livekit.SignalResponse_Answer{Answer: &livekit.SessionDescription{
		Type: "answer", Sdp: answer.SDP, Id: o.Id, MidToTrackId: answer.MIDs, // JS drops an answer with another id
	}}})
	if s.single {
		s.startPlaced()
		s.required = false
		if s.learnDecoders(s.sections) {
			s.pickDowns()
			s.tellWishes()
		}
		s.require()
	}
}

// require asks the client for the sections that are missing (0/0: just to
// offer again). One request at a time: its offer shows what is left.
func (s *Session) require() {
	if s.required || s.sections == nil {
		return
	}
	audio, video, unplaced := s.pub.Missing(s.outgoing())
	if !unplaced {
		return
	}
	s.required = true
	s.send(&livekit.SignalResponse{Message: &livekit.SignalResponse_MediaSectionsRequirement{
		MediaSectionsRequirement: &livekit.MediaSectionsRequirement{NumAudios: uint32(audio), NumVideos: uint32(video)},
	}})
}

// makeOffer offers what is wanted on the subscriber connection. While an offer
// is outstanding, changes wait for its answer.
func (s *Session) makeOffer() {
	if s.offering {
		s.stale = true
		return
	}
	offer, err := s.sub.Offer(s.outgoing(), s.restart)
	if err != nil {
		s.fail("make an offer", err)
		return
	}
	s.offering, s.stale, s.restart = true, false, false
	s.offerID++
	s.lastOffer = offer
	s.sendOffer()
}

func (s *Session) sendOffer() {
	s.send(&livekit.SignalResponse{Message: &livekit.SignalResponse_Offer{Offer: &livekit.SessionDescription{
		Type: "offer", Sdp: s.lastOffer.SDP, Id: s.offerID, MidToTrackId: s.lastOffer.MIDs,
	}}})
}

// answered applies the client's answer to our offer. Go clients send no id.
func (s *Session) answered(a *livekit.SessionDescription) {
	if s.sub == nil || !s.offering || a.GetId() != 0 && a.Id != s.offerID {
		return
	}
	if !s.paced(s.offerRate, 1) { // our next offer, if there is one, costs as much as theirs
		return
	}
	sections, err := s.sub.SetAnswer(a.GetSdp())
	if err != nil {
		s.fail("take an answer", err)
		return
	}
	s.offering = false
	s.startPlaced()
	if s.learnDecoders(sections) {
		s.subscribe() // what the client cannot decode may come in another codec
		s.tellWishes()
	}
	if s.stale && !s.offering {
		s.makeOffer()
	}
}
