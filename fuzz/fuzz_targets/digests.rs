//! Digests: equal for what is equal and for nothing else, and the same before and after erasing.

#![no_main]

use common::{
    Body, Covered, Digest, EntryKind, Epoch, Member, MessageId, RoomName, Timestamp, UserId,
    UserName,
};
use fuzz::Input;
use libfuzzer_sys::fuzz_target;
use rooms::{Content, Draft, Entry};

#[derive(Debug, PartialEq, Eq)]
struct Said {
    seq: u64,
    of: Option<u64>,
    kind: EntryKind,
    author: UserId,
    message_id: MessageId,
    member: Option<UserId>,
    body: Digest,
}

impl Said {
    fn read(input: &mut Input<'_>) -> Option<Self> {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Some(Self {
            seq: input.short() as u64,
            // Nothing is about a place before the first.
            of: Some(input.short() as u64).filter(|of| *of > 0),
            kind: EntryKind::ALL[usize::from(input.byte()) % EntryKind::ALL.len()],
            author: UserId::new(text(input.until(b' '))).ok()?,
            message_id: MessageId::new(text(input.until(b' '))).ok()?,
            member: UserId::new(text(input.until(b' '))).ok(),
            body: Digest::of_body(&text(input.until(b' '))),
        })
    }

    fn digest(&self, before: Digest) -> Digest {
        let Self { seq, of, kind, author, message_id, member, body } = self;
        before.then(&Covered {
            seq: *seq,
            author,
            message_id,
            kind: *kind,
            of: *of,
            member: member.as_ref(),
            body: *body,
        })
    }
}

fn a_post_outlives_its_text(said: &Said, text: &str, before: Digest) {
    let Ok(body) = Body::new(text) else { return };
    let author =
        Member { id: said.author.clone(), name: UserName::new("하나").expect("it is a name") };
    let (room, message_id) = (RoomName::new("general").expect("a name"), said.message_id.clone());
    let draft = Draft { room, author, message_id, content: Content::Post(body) };
    let at = Timestamp::new("2026-11-20T09:00:00.000Z").expect("a time");
    let entry = Entry::new(draft, Epoch::new("e").expect("an epoch"), said.seq, at, before);
    let erased = entry.erase();
    assert_eq!(erased.digest_after(before), entry.digest);
    assert_eq!(erased.on_the_wire().digest_after(before), entry.digest);
    assert!(erased.body.is_empty() && erased.erase().digest_after(before) == entry.digest);
}

fuzz_target!(|bytes: &[u8]| {
    let mut input = Input(bytes);
    let before = Digest::of_body(&String::from_utf8_lossy(input.until(b' ')));
    assert_eq!(Digest::parse(&before.to_string()), Some(before));
    let text = String::from_utf8_lossy(input.until(b' ')).into_owned();
    if let Some(digest) = Digest::parse(&text) {
        assert_eq!(digest.to_string(), text);
    }
    let (Some(one), Some(other)) = (Said::read(&mut input), Said::read(&mut input)) else { return };
    assert_eq!(one == other, one.digest(before) == other.digest(before), "{one:?} {other:?}");
    a_post_outlives_its_text(&one, &text, before);
});
