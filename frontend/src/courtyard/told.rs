//! What the session tells, and what follows: what is kept, what the page shows.

use common::MessageId;
use session::{Content, EndReason, Event, LinkState, Pending, PendingState};

use super::Courtyard;
use crate::{
    calendar, clock,
    state::{Action, Ending, Heard, Link, Moment, Trouble},
    storage,
};

impl Courtyard {
    pub(super) fn hear(&self, events: Vec<Event>) {
        let mut outbox_changed = false;
        for event in &events {
            match event {
                Event::OutboxChanged { message_id } => {
                    outbox_changed = true;
                    self.keep_message(message_id);
                }
                Event::Welcome { user, .. } => {
                    self.sign_in_tries.set(0);
                    self.is(user.clone());
                    self.list_rooms();
                }
                Event::JoinRefused { room, .. } | Event::Removed { room } => self.unwant(room),
                Event::Opened { room } => self.want_if_private(room),
                Event::LinkChanged
                | Event::Joined { .. }
                | Event::Recovered { .. }
                | Event::Resynced { .. }
                | Event::Proven { .. }
                | Event::Disproved { .. }
                | Event::Entry { .. }
                | Event::History { .. }
                | Event::HistoryFailed { .. }
                | Event::Marked { .. }
                | Event::Presence { .. }
                | Event::Left { .. }
                | Event::Acked { .. } => {}
            }
        }
        let link_changed = events.contains(&Event::LinkChanged);
        self.change(Action::Heard(events.into_iter().map(heard).collect()));
        if outbox_changed {
            self.outbox_changed();
        }
        if link_changed {
            self.link_changed();
        }
    }

    /// What changes others' words or one's own and was refused is given up, and that is said. A
    /// post or an edit stays: there is something in it that somebody wrote.
    fn give_up(&self, pending: &Pending) {
        let PendingState::Failed(problem) = &pending.state else { return };
        match pending.content {
            Content::Post(_) | Content::Edit { .. } => {}
            Content::Delete { .. } | Content::Reaction { .. } | Content::Topic(_) => {
                self.change(Action::Trouble(Some(Trouble::Refused(problem.code))));
                self.connection.tell(|session, _| session.discard(&pending.message_id));
            }
        }
    }

    fn keep_message(&self, id: &MessageId) {
        let find =
            |session: &session::Session| session.outbox().find(|m| m.message_id == *id).cloned();
        match self.connection.read(find) {
            None => storage::forget_pending(id),
            Some(pending) => {
                if !storage::keep_pending(&pending) {
                    self.change(Action::Trouble(Some(Trouble::NotKept)));
                }
                self.give_up(&pending);
            }
        }
    }

    pub(super) fn outbox_changed(&self) {
        let pending = self.connection.read(|session| session.outbox().cloned().collect());
        self.change(Action::Outbox(pending));
    }

    fn link_changed(&self) {
        let link = self.connection.read(|session| link(session.link()));
        self.change(Action::Link(link, clock::now_ms()));
        if link == Link::Ended(Ending::SignInNeeded) && self.inside.get() {
            self.sign_in_again();
        }
    }
}

fn heard(event: Event) -> Heard {
    let (mut moment, mut past) = (Moment::default(), Vec::new());
    match &event {
        Event::Entry { entry } => moment = calendar::from_timestamp(&entry.at),
        Event::History { entries, .. } => {
            past = entries.iter().map(|entry| calendar::from_timestamp(&entry.at)).collect();
        }
        Event::LinkChanged
        | Event::Welcome { .. }
        | Event::Joined { .. }
        | Event::Recovered { .. }
        | Event::Resynced { .. }
        | Event::Proven { .. }
        | Event::Disproved { .. }
        | Event::HistoryFailed { .. }
        | Event::Marked { .. }
        | Event::Presence { .. }
        | Event::Left { .. }
        | Event::Removed { .. }
        | Event::JoinRefused { .. }
        | Event::Opened { .. }
        | Event::OutboxChanged { .. }
        | Event::Acked { .. } => moment = calendar::present(),
    }
    Heard { event, moment, past }
}

fn link(state: &LinkState) -> Link {
    match state {
        LinkState::Idle => Link::Idle,
        LinkState::Connecting { .. } => Link::Connecting,
        LinkState::Open => Link::Open,
        LinkState::Waiting { until, .. } => Link::Waiting { until: clock::ms(*until) },
        LinkState::Ended(reason) => Link::Ended(match reason {
            EndReason::Left => Ending::Left,
            EndReason::SignInNeeded => Ending::SignInNeeded,
            EndReason::Stopped { code } => Ending::Stopped(*code),
            EndReason::ReloadNeeded => Ending::ReloadNeeded,
            EndReason::Refused(problem) => Ending::Refused(problem.code),
        }),
    }
}
