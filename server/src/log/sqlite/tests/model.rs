//! Whatever is said, the store answers what the log in memory answers.

use std::collections::BTreeSet;

use common::{EntryKind, Topic};
use proptest::prelude::*;
use rooms::MemoryLog;

use super::*;

/// What happens to both.
#[derive(Clone, Debug)]
enum Step {
    Batch(Vec<Draft>),
    Restart,
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        12 => prop::collection::vec(any_draft(), 1..6).prop_map(Step::Batch),
        1 => Just(Step::Restart),
    ]
}

fn any_draft() -> impl Strategy<Value = Draft> {
    let of = 1..30_u64;
    let name = prop::sample::select(vec!["hana", "duri", "sena"]);
    let content = prop_oneof![
        5 => "[ab]".prop_map(|text| Content::Post(Body::new(text).unwrap())),
        3 => (of.clone(), "[ab]")
            .prop_map(|(of, text)| Content::Edit { of, body: Body::new(text).unwrap() }),
        2 => of.clone().prop_map(|of| Content::Delete { of }),
        3 => (of, prop::sample::select(vec!["👍", "🎉"]))
            .prop_map(|(of, emoji)| Content::Reaction { of, emoji: Emoji::new(emoji).unwrap() }),
        1 => "[ab]?".prop_map(|topic| Content::Topic(Topic::new(topic).unwrap())),
        1 => (any::<bool>(), name.clone()).prop_map(|(joins, who)| Content::Membership {
            change: if joins { MembershipChange::Joined } else { MembershipChange::Kicked },
            member: somebody(who),
        }),
    ];
    let rooms = prop::sample::select(vec!["general", "short", "private", "nowhere"]);
    (rooms, name, 0..60_u32, content).prop_map(|(name, author, id, content)| Draft {
        room: room(name),
        author: somebody(author),
        message_id: MessageId::new(format!("m{id}")).unwrap(),
        content,
    })
}

fn rooms() -> [NewRoom; 3] {
    let members = Some(vec![somebody("hana"), somebody("duri")]);
    [
        new_room("general", Keep::Forever),
        // Rows are taken away in pieces of 64: what is served follows the exact floor.
        new_room("short", Keep::Last(4)),
        NewRoom { members, ..new_room("private", Keep::Last(20)) },
    ]
}

/// Everything that can be seen of what became of a draft.
fn seen(outcome: Result<Appended, AppendRefusal>) -> String {
    match outcome {
        Ok(Appended::New(entry)) => format!("{:?} {}", entry.on_the_wire(), entry.digest),
        other => format!("{other:?}"),
    }
}

fn seen_entries(entries: &[Arc<Entry>]) -> Vec<String> {
    entries.iter().map(|entry| format!("{:?} {}", entry.on_the_wire(), entry.digest)).collect()
}

/// What [`Store::later`] answers, found in a simple way.
fn later(entries: &[Arc<Entry>], places: &RangeInclusive<u64>) -> Vec<Arc<Entry>> {
    let mut edited = BTreeSet::new();
    let mut found: Vec<_> = entries
        .iter()
        .rev()
        .filter(|entry| entry.seq > *places.end() && entry.erased.is_none())
        .filter(|entry| entry.of.is_some_and(|of| places.contains(&of)))
        .filter(|entry| {
            let is_last_edit = entry.kind == EntryKind::Edit && edited.insert(entry.of);
            is_last_edit || entry.kind == EntryKind::Reaction
        })
        .cloned()
        .collect();
    found.reverse();
    found
}

/// What [`Store::posts`] answers of one place, found in a simple way.
fn post_as_it_stands(entries: &[Arc<Entry>], seq: u64) -> Vec<common::Entry> {
    let post = entries
        .iter()
        .find(|entry| entry.seq == seq && entry.kind == EntryKind::Post && entry.erased.is_none());
    let Some(post) = post else { return Vec::new() };
    let mut post = post.on_the_wire();
    let edits = |entry: &&Arc<Entry>| entry.kind == EntryKind::Edit && entry.of == Some(seq);
    if let Some(edit) = entries.iter().rfind(edits) {
        post.body.clone_from(&edit.body);
    }
    vec![post]
}

fn compare(store: &SqliteStore, model: &MemoryLog) {
    assert_eq!(store.rooms(), model.rooms().cloned().collect::<Vec<_>>());
    for record in model.rooms() {
        let name = &record.room;
        let all = model.read_after(name, record.floor, usize::MAX);
        let head = record.head.seq;
        for (seq, most) in (0..head + 2).flat_map(|seq| [(seq, 3), (seq, usize::MAX)]) {
            let read = store.read_after(name, seq, most, usize::MAX).unwrap();
            assert_eq!(seen_entries(&read), seen_entries(&model.read_after(name, seq, most)));
            let before: Vec<_> = all.iter().filter(|entry| entry.seq < seq).cloned().collect();
            let before = &before[before.len().saturating_sub(most)..];
            let read = store.read_before(name, seq, most).unwrap();
            assert_eq!(seen_entries(&read), seen_entries(before));
        }
        for seq in record.floor + 1..=head {
            let digest = all.iter().find(|entry| entry.seq == seq).map(|entry| entry.digest);
            assert_eq!(store.digest_at(name, seq).unwrap(), digest);
            let places = seq..=seq + 3;
            let read = store.later(name, places.clone(), usize::MAX).unwrap();
            assert_eq!(seen_entries(&read), seen_entries(&later(&all, &places)));
            let posts = store.posts(&[(name.clone(), seq)]).unwrap();
            assert_eq!(posts, post_as_it_stands(&all, seq));
        }
        assert_eq!(store.digest_at(name, record.floor).unwrap(), Some(record.floor_digest));
        assert_eq!(store.digest_at(name, head + 1).unwrap(), None);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn the_store_answers_what_the_log_in_memory_answers(
        steps in prop::collection::vec(any_step(), 1..60)
    ) {
        let dir = TempDir::new();
        let mut store = dir.store();
        let mut model = MemoryLog::new();
        for new in rooms() {
            prop_assert_eq!(store.opens(new.clone()), model.open(new));
        }
        for step in steps {
            match step {
                Step::Batch(drafts) => {
                    let changes: Vec<_> = drafts.iter().cloned().map(Change::Append).collect();
                    let outcomes = store.commit(&changes, &at()).unwrap();
                    for (draft, outcome) in drafts.into_iter().zip(outcomes) {
                        let Outcome::Appended(outcome) = outcome else { panic!("{outcome:?}") };
                        prop_assert_eq!(seen(outcome), seen(model.append(draft, at())));
                    }
                }
                Step::Restart => {
                    drop(store);
                    store = dir.store();
                }
            }
        }
        compare(&store, &model);
        drop(store);
        compare(&dir.store(), &model);
    }
}
