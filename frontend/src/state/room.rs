//! One room of this person: its rows, who is there, and how far it was read.

use std::rc::Rc;

use common::{
    Epoch, ErrorCode, Member, Position, RoomName, UserId, UserName,
    http::{RoomInfo, Unread},
};
use session::Edge;

use super::{
    piece::{Change, Piece},
    row::{Moment, Notice, Row, Said},
    seek::Sought,
};

/// Milliseconds within which comings and goings become one notice.
const NOTICE_MERGE_MS: i64 = 5 * 60 * 1000;

/// One room of this person.
#[derive(Clone, Debug)]
pub struct Room {
    /// Its name.
    pub name: RoomName,
    /// Whether it is followed.
    pub standing: Standing,
    /// What was said and what happened, oldest first.
    pub pieces: Vec<Piece>,
    /// My messages that were acknowledged and whose entries have not come yet, by their place.
    pub acked: Vec<Rc<Said>>,
    /// The people present, by name; at most as many as the server lists.
    pub members: Rc<Vec<Member>>,
    /// How many people are present.
    pub count: u32,
    /// How many messages of others are unread.
    pub unread: u32,
    /// How many of them mention this person.
    pub mentions: u32,
    /// The "new messages" line stands before the first message of others after this place, which
    /// is one of this life of the log.
    pub line_after: Option<(u32, u64)>,
    /// How often the person spoke here: each time leads to the end of the list.
    pub spoken: u32,
    /// What the room is about; empty where nobody said so.
    pub topic: Rc<str>,
    /// What is known of the truth of it all.
    pub proof: Proof,
    /// The end of the list is out of sight.
    pub away: bool,
    /// The page that was asked for, and whether it cannot be had.
    pub asked: Option<(Edge, bool)>,
    /// The message that a search leads to, until the person goes on to the newest or away.
    pub sought: Option<Sought>,
    pub(super) topic_seq: u64,
    /// The last place that was read in the log that is being written.
    pub(super) read: Option<u64>,
    /// What the server said of it, for the log of this epoch.
    pub(super) told: Option<(Position, Unread)>,
    pub(super) epoch: Option<Epoch>,
    /// Which life of the log is being written.
    pub(super) log: u32,
    pub(super) floor: u64,
    /// The log's end at the last join: what comes up to it is history.
    pub(super) head: u64,
    pub(super) last: u64,
    /// The last changes that came by themselves: a page may be older than they are.
    pub(super) changes: Vec<Change>,
    pub(super) numbers: u32,
}

/// Whether a room is followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It has not been joined yet.
    Joining,
    /// It is followed, or will be again by itself.
    Joined,
    /// The server refused.
    Refused(ErrorCode),
}

/// What is known of the truth of a room's messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// Nothing.
    Unknown,
    /// So many are here as the server has them, none missing.
    Whole(u64),
    /// What was here is not what the server has.
    Disproved,
}

impl Room {
    /// A room that is to be joined.
    #[must_use]
    pub fn wanted(name: RoomName) -> Self {
        Self {
            name,
            standing: Standing::Joining,
            pieces: Vec::new(),
            acked: Vec::new(),
            members: Rc::default(),
            count: 0,
            unread: 0,
            mentions: 0,
            line_after: None,
            spoken: 0,
            topic: Rc::default(),
            proof: Proof::Unknown,
            away: false,
            asked: None,
            sought: None,
            topic_seq: 0,
            read: None,
            told: None,
            epoch: None,
            log: 0,
            floor: 0,
            head: 0,
            last: 0,
            changes: Vec::new(),
            numbers: 0,
        }
    }

    /// Whether the server refused to let it be joined.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        matches!(self.standing, Standing::Refused(_))
    }

    pub(super) fn wanted_again(&mut self) {
        if self.is_refused() {
            self.standing = Standing::Joining;
        }
    }

    /// The server says how far it was read and what is behind that, and where its log ended then.
    pub(super) fn told(&mut self, head: &Position, unread: Option<Unread>) {
        self.told = unread.map(|unread| (head.clone(), unread));
        self.take_told();
    }

    /// What the list of rooms says that it is about, unless something newer is known.
    pub(super) fn topic_told(&mut self, info: &RoomInfo) {
        if info.position.seq >= self.topic_seq {
            self.topic = info.topic.as_deref().unwrap_or_default().into();
        }
    }

    /// Which life of the log is being written: places of two lives are never compared.
    #[must_use]
    pub fn life(&self) -> u32 {
        self.log
    }

    /// Whether the person never read anything of it.
    #[must_use]
    pub fn is_new(&self) -> bool {
        self.read.is_none()
    }

    /// The last message of mine that stands, and what it says.
    pub(super) fn my_last(&self) -> Option<(Position, Rc<str>)> {
        let mine = |said: &&Rc<Said>| said.mine && !said.deleted;
        let last = self.said().rev().find(mine)?;
        let at = last.at.clone().filter(|at| Some(&at.epoch) == self.epoch.as_ref())?;
        Some((at, last.body.clone()))
    }

    /// What was read of another log says nothing.
    pub(super) fn take_told(&mut self) {
        let same = |(head, _): &mut (Position, Unread)| Some(&head.epoch) == self.epoch.as_ref();
        let Some((head, unread)) = self.told.take_if(same) else { return };
        self.marked(unread);
        let since = self.said().filter(|said| !said.mine && said.seq() > Some(head.seq));
        let (posts, mentions) = since
            .fold((0, 0), |(posts, mentions), said| (posts + 1, mentions + u32::from(said.calls)));
        self.unread += posts;
        self.mentions += mentions;
        if self.unread > 0 && self.line_after.is_none() {
            self.line_after = Some((self.log, unread.read));
        }
    }

    /// The server says how far it was read, here or elsewhere.
    pub(super) fn marked(&mut self, unread: Unread) {
        self.read = Some(unread.read.max(self.read.unwrap_or(0)));
        (self.unread, self.mentions) = (unread.posts, unread.mentions);
    }

    pub(super) fn read_to_end(&mut self) {
        (self.unread, self.mentions) = (0, 0);
        self.read = Some(self.last.max(self.read.unwrap_or(0)));
    }

    /// The person looks elsewhere: a line above what was read has done its work.
    pub(super) fn turn_away(&mut self) {
        (self.away, self.sought) = (false, None);
        if self.unread == 0 {
            self.line_after = None;
        }
    }

    /// The person wrote: everything above has been seen.
    pub(super) fn spoke(&mut self) {
        self.read_to_end();
        (self.line_after, self.sought) = (None, None);
        self.spoken += 1;
    }

    /// A message of mine was taken; it stands here until its entry comes.
    pub(super) fn acked(&mut self, said: &Said, position: &Position, moment: Moment) {
        if self.epoch.as_ref() != Some(&position.epoch)
            || self.said().any(|other| other.key == said.key)
        {
            return;
        }
        let said = Said { at: Some(position.clone()), moment: Some(moment), ..said.clone() };
        let at = self.acked.partition_point(|other| other.seq() < said.seq());
        self.acked.insert(at, Rc::new(said));
    }

    /// Everything that somebody said and that stands.
    pub(super) fn said(&self) -> impl DoubleEndedIterator<Item = &Rc<Said>> {
        let rows = self.pieces.iter().flat_map(|piece| &piece.rows);
        rows.filter_map(|row| match row {
            Row::Said(said) => Some(said),
            Row::Done(_) | Row::Notice(_) => None,
        })
    }

    pub(super) fn presence(
        &mut self,
        joined: &[Member],
        left: &[UserId],
        members: Option<Vec<Member>>,
        me: Option<&UserId>,
        moment: Moment,
    ) {
        let known = |id: &UserId| self.members.iter().find(|member| member.id == *id);
        let came: Vec<UserName> = joined
            .iter()
            .filter(|member| Some(&member.id) != me && known(&member.id).is_none())
            .map(|member| member.name.clone())
            .collect();
        let went: Vec<UserName> = left
            .iter()
            .filter(|id| Some(*id) != me)
            .filter_map(known)
            .map(|member| member.name.clone())
            .collect();
        let present = members.unwrap_or_else(|| {
            let stays = |member: &&Member| {
                !left.contains(&member.id) && joined.iter().all(|other| other.id != member.id)
            };
            self.members.iter().filter(stays).cloned().chain(joined.iter().cloned()).collect()
        });
        self.set_members(present);
        self.notice(came, went, moment);
    }

    pub(super) fn set_members(&mut self, members: Vec<Member>) {
        // By name. They are few and nearly in order; a general sort would be a heavy thing to load.
        let mut ordered: Vec<Member> = Vec::with_capacity(members.len());
        for member in members {
            let place = (&member.name, &member.id);
            let at = ordered.partition_point(|other| (&other.name, &other.id) < place);
            ordered.insert(at, member);
        }
        self.members = Rc::new(ordered);
    }

    /// Comings and goings one after another become one line; who came and went again is no news.
    fn notice(&mut self, came: Vec<UserName>, went: Vec<UserName>, moment: Moment) {
        if (came.is_empty() && went.is_empty()) || !self.is_attached() {
            return;
        }
        let number = self.number();
        let rows = self.open_rows();
        let mut notice = match rows.last() {
            Some(Row::Notice(last)) if moment.ms - last.moment.ms < NOTICE_MERGE_MS => {
                let last = (**last).clone();
                rows.pop();
                last
            }
            Some(Row::Said(_) | Row::Done(_) | Row::Notice(_)) | None => {
                Notice { number, joined: Vec::new(), left: Vec::new(), moment }
            }
        };
        for name in went {
            move_name(name, &mut notice.joined, &mut notice.left);
        }
        for name in came {
            move_name(name, &mut notice.left, &mut notice.joined);
        }
        rows.push(Row::Notice(Rc::new(notice)));
        self.trim_top();
    }

    /// A number that nothing else of this room has.
    pub(super) fn number(&mut self) -> u32 {
        self.numbers += 1;
        self.numbers
    }
}

fn move_name(name: UserName, from: &mut Vec<UserName>, to: &mut Vec<UserName>) {
    from.retain(|other| *other != name);
    if !to.contains(&name) {
        to.push(name);
    }
}
