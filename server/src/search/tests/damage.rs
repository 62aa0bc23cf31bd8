//! An index that cannot be used is built again.

use super::*;

#[test]
fn a_file_that_is_no_index_or_an_older_one_is_built_again() {
    let mut stage = Stage::new();
    let post = stage.says("다시");
    stage.index();
    stage.indexer = None;
    std::fs::write(stage.dir.join(FILE), "this is not what it was".repeat(500)).unwrap();
    stage.restart();
    stage.index();
    stage.found("다시", &[post]);

    for change in ["PRAGMA user_version = 0; DELETE FROM docs", "DROP TABLE docs; DROP TABLE rooms"]
    {
        stage.indexer = None;
        let file = Connection::open(stage.dir.join(FILE)).unwrap();
        file.execute_batch(change).unwrap();
        drop(file);
        stage.restart();
        stage.index();
        stage.found("다시", &[post]);
    }
}

#[test]
fn damage_that_shows_later_is_mended_by_building_again() {
    let mut stage = Stage::new();
    for at in 0..2_000 {
        stage.says(&format!("글 {at}"));
    }
    stage.index();
    // What waits beside the file is written into it when the last who uses it leaves.
    (stage.indexer, stage.search.readers) = (None, Arc::default());
    let mut bytes = std::fs::read(stage.dir.join(FILE)).unwrap();
    let page = 4_096;
    let (_, tables) = bytes.split_at_mut(page * 6);
    tables.fill(0x5a);
    std::fs::write(stage.dir.join(FILE), bytes).unwrap();

    let (search, indexer) = open(&stage.dir).unwrap();
    (stage.search, stage.indexer) = (search, Some(indexer));
    assert!(stage.search.find("글", &stranger(), None, None, PAGE_HITS).is_err());
    assert!(stage.step(), "whoever searched tells the indexer");
    stage.says("글 하나 더");
    stage.index();
    assert_eq!(stage.finds("글").len(), PAGE_HITS_MAX);
    stage.found("하나", &[2_001]);
}

#[test]
fn no_error_of_the_disk_ends_the_process() {
    let stage = Stage::new();
    let reader = stage.search.reader().unwrap();
    let mapped: i64 = reader.query_row("PRAGMA mmap_size", [], |row| row.get(0)).unwrap();
    assert_eq!(mapped, 0);
}
