//! What may happen to the file.

use super::*;

fn refused(dir: &TempDir) -> String {
    dir.opened().map(|_| ()).unwrap_err().to_string()
}

fn filled(dir: &TempDir) {
    let store = dir.store();
    store.opens(new_room("general", Keep::Forever)).unwrap();
    for nth in 0..500 {
        store.says(post("hana", &format!("m{nth}"), &"hi".repeat(50))).unwrap();
    }
}

#[test]
fn a_file_that_is_no_database_is_refused_and_left_as_it_is() {
    let dir = TempDir::new();
    let text = "not a database at all, but long enough to have a header ".repeat(90);
    fs::write(dir.database(), &text).unwrap();
    let message = refused(&dir);
    assert!(message.contains("madang.db") && message.contains("server restore"), "{message}");
    assert_eq!(fs::read_to_string(dir.database()).unwrap(), text);
}
