//! Markdown's tables.

/// A table with a line for each row; what would end a cell is escaped.
pub(super) fn table(head: &[String], rows: &[Vec<String>]) -> String {
    let rule = vec!["---".to_owned(); head.len()];
    let lines = [head, &rule].into_iter().chain(rows.iter().map(Vec::as_slice));
    lines.map(line).collect::<Vec<_>>().join("\n")
}

fn line(cells: &[String]) -> String {
    let cells: Vec<String> =
        cells.iter().map(|cell| cell.replace('|', "\\|").replace('\n', " ")).collect();
    if cells.iter().all(|cell| cell == "---") {
        return format!("|{}|", cells.join("|"));
    }
    format!("| {} |", cells.join(" | "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_cannot_end_its_row() {
        let cells =
            |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        let text = table(&cells(&["who", "what"]), &[cells(&["a|b", "c\nd"])]);
        assert_eq!(text, "| who | what |\n|---|---|\n| a\\|b | c d |");
    }
}
