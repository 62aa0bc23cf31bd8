//! What is found, and by whom.

use super::*;

#[test]
fn ordinary_korean_queries_find_what_they_name() {
    let mut stage = Stage::new();
    let meeting = stage.says("내일 회의실에서 봬요");
    let hello = stage.says("안녕하세요, 처음 뵙겠습니다");
    let deploy = stage.says("Rust로 만든 서버를 배포했습니다");
    let river = stage.says("강 건너 집");
    let lunch = stage.says("점심을 먹을까요? ㅋㅋㅋ");
    stage.index();
    for (query, expected) in [
        ("회의", meeting),
        ("의실", meeting),
        ("회의실", meeting),
        ("내일 회의", meeting),
        ("안녕하세요", hello),
        ("녕하", hello),
        ("처음 안녕", hello),
        ("강", river),
        ("집", river),
        ("배포", deploy),
        ("rust 배포", deploy),
        ("서버 RUS", deploy),
        ("배포 ru", deploy),
        ("점심", lunch),
        ("ㅋㅋ", lunch),
    ] {
        stage.found(query, &[expected]);
    }
    // 요 ends three runs; 봬 stands within one.
    stage.found("요", &[lunch, hello, meeting]);
    stage.found("봬", &[meeting]);
    for nothing in ["의회", "실회", "안녕히", "하세녕", "ru 배포", "점심 회의", "뷁"]
    {
        stage.found(nothing, &[]);
    }
}

#[test]
fn the_pairs_of_two_words_are_no_phrase() {
    let mut stage = Stage::new();
    stage.says("가나 나다");
    let together = stage.says("가나다");
    stage.index();
    stage.found("가나다", &[together]);
}

#[test]
fn composed_and_decomposed_spellings_find_each_other() {
    let (composed, decomposed) = ("회의", "\u{1112}\u{116c}\u{110b}\u{1174}");
    let mut stage = Stage::new();
    let one = stage.says(composed);
    let other = stage.says(decomposed);
    stage.index();
    stage.found(composed, &[other, one]);
    stage.found(decomposed, &[other, one]);
}

#[test]
fn a_private_room_is_found_by_those_who_may_read_it() {
    let mut stage = Stage::new();
    stage.room("secret", false);
    stage.room("other", false);
    stage.says_in("secret", "보물은 여기");
    stage.says_in("other", "보물은 저기");
    stage.says("보물은 없다");
    stage.index();
    let of_secret = Readable::OpenAnd(vec![room("secret"), room("never-heard-of")]);
    let only_secret = Readable::Only(room("secret"));
    for (readable, within, expected) in [
        (&stranger(), None, 1),
        (&stranger(), Some("general"), 1),
        (&stranger(), Some("secret"), 0),
        (&stranger(), Some("never-heard-of"), 0),
        (&of_secret, None, 2),
        (&of_secret, Some("secret"), 1),
        (&of_secret, Some("other"), 0),
        (&of_secret, Some("general"), 1),
        (&only_secret, None, 1),
        (&only_secret, Some("secret"), 1),
        (&only_secret, Some("general"), 0),
        (&Readable::Only(room("never-heard-of")), None, 0),
    ] {
        let found = stage.finds_as("보물", readable, within);
        assert_eq!(found, expected, "{readable:?} within {within:?}");
    }
}

#[test]
fn whoever_belongs_to_very_many_private_rooms_finds_what_is_said_in_all_of_them() {
    let mut stage = Stage::new();
    let rooms: Vec<String> = (0..400).map(|at| format!("room-{at}")).collect();
    for name in &rooms {
        stage.room(name, false);
        stage.says_in(name, "보물");
    }
    stage.index();
    let readable = Readable::OpenAnd(rooms.iter().map(|name| room(name)).collect());
    let (mut found, mut before) = (0, None);
    loop {
        let page = stage.search.find("보물", &readable, None, before, PAGE_HITS_MAX).unwrap();
        found += page.hits.len();
        before = page.next;
        if before.is_none() {
            break;
        }
    }
    assert_eq!(found, rooms.len());
}

#[test]
fn what_looks_like_syntax_is_looked_up_like_anything_else() {
    let mut stage = Stage::new();
    stage.room("secret", false);
    stage.says_in("secret", "보물");
    let post = stage.says("near or not: 회의-실 \"quoted\" open r1");
    stage.index();
    for query in [
        "\"회의",
        "회의*",
        "NEAR(회의 실)",
        "near(\"회의\" \"실\", 5)",
        "회의 OR not",
        "NOT 회의",
        "-회의",
        "^회의",
        "tokens:회의 AND",
        "{tokens}: 회의",
        "회의) OR (실",
        "회의; DROP TABLE docs",
        "'회의",
        "회의\0실",
    ] {
        assert!(stage.finds(query).iter().all(|seq| *seq == post), "{query:?}");
    }
    stage.found("\"회의\" * ( -", &[post]);
    stage.found("open r1", &[post]);
    for query in ["§2 보물", "보물\" OR \"§2", "§open 보물", "보물 OR 회의"] {
        stage.found(query, &[]);
    }
    assert!(matches!(
        stage.search.find("\"*()", &stranger(), None, None, PAGE_HITS),
        Err(SearchRefusal::Query(QueryError::Empty))
    ));
}

#[test]
fn pages_hold_every_hit_once_and_in_order_whatever_happens_meanwhile() {
    for limit in [1, 7, 20, 45, 1_000] {
        let mut stage = Stage::new();
        for at in 0..60 {
            stage.says(&format!("공지 {at}"));
            stage.says("잡담");
        }
        stage.index();
        let (mut all, mut before) = (Vec::new(), None);
        loop {
            let page = stage.page("공지", before, limit);
            assert!((1..=limit.min(PAGE_HITS_MAX)).contains(&page.hits.len()));
            all.extend(seqs(&page));
            // Neither what is said later nor what was on an earlier page moves the next one.
            stage.says("공지 나중에");
            stage.happens("general", ChangeKind::Delete { of: all[0] });
            stage.happens("general", ChangeKind::Edit { of: 1, body: "공지 0, 새로".into() });
            stage.index();
            match page.next {
                Some(cursor) => before = Some(cursor.to_string().parse().unwrap()),
                None => break,
            }
        }
        let expected: Vec<u64> = (1..=120).rev().filter(|seq| seq % 2 == 1).collect();
        assert_eq!(all, expected, "pages of {limit}");
    }
}
