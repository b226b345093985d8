//! The readers and orders together: what each file becomes, what each fault says, who gets which row.

use super::*;
use proptest::prelude::*;
use std::io::Cursor as Bytes;

fn csv(text: &str, options: &CsvOptions) -> Result<Vec<Vec<String>>, String> {
    csv_bytes(text.as_bytes(), options)
}

fn csv_bytes(bytes: &[u8], options: &CsvOptions) -> Result<Vec<Vec<String>>, String> {
    let table = Table::read(Bytes::new(bytes), bytes.len(), options).map_err(told)?;
    let rows = (0..table.len()).map(|row| table.row(row).map(str::to_owned).collect());
    Ok([table.columns().to_vec()].into_iter().chain(rows).collect())
}

fn told(fault: Fault) -> String {
    let line = fault.line.map_or(String::new(), |line| format!("line {line}: "));
    format!("{line}{}", fault.message)
}

fn texts(result: Result<Texts, Fault>) -> Result<Vec<String>, String> {
    let texts = result.map_err(told)?;
    Ok((0..texts.len()).map(|at| texts.get(at).to_owned()).collect())
}

#[test]
fn a_csv_file_becomes_its_cells() {
    let rows = csv("name,age\nAnn,31\n\"Bob \"\"B\"\"\",\"4\n2\"\n\n,\n", &CsvOptions::default()).unwrap();
    assert_eq!(rows, [["name", "age"], ["Ann", "31"], ["Bob \"B\"", "4\n2"], ["", ""]]);
    let rows = csv("\u{feff} name ; age\r\n Ann ;31\r\n", &CsvOptions { delimiter: b';', ..CsvOptions::default() });
    assert_eq!(rows.unwrap(), [["name", "age"], [" Ann ", "31"]], "a mark and spaces around names go, cells stay");
    let options = CsvOptions { comment: Some(b'#'), trim: true, header: Header::Numbered, ..CsvOptions::default() };
    assert_eq!(csv("# x\n a , b \n", &options).unwrap(), [["column1", "column2"], ["a", "b"]]);
    let given = Header::Given(vec!["x".into(), "y".into()]);
    let options = CsvOptions { quote: None, header: given, ..CsvOptions::default() };
    assert_eq!(csv("5\",6\n", &options).unwrap(), [["x", "y"], ["5\"", "6"]]);
}

#[test]
fn a_csv_file_that_is_wrong_says_where() {
    let fault = |text: &str| csv(text, &CsvOptions::default()).unwrap_err();
    assert_eq!(fault(""), "it is empty");
    assert_eq!(fault("\n\n"), "it is empty");
    assert_eq!(fault("a,b\n"), "it has the columns `a`, `b` and no row");
    assert_eq!(fault("a,b\n1,2\n\n3\n"), "line 4: 1 cell, where the header has 2 (`a`, `b`)");
    assert_eq!(fault("a,b\n\"1\n\",2\n3,4,5\n"), "line 4: 3 cells, where the header has 2 (`a`, `b`)");
    assert_eq!(fault("a,b,a\n1,2,3\n"), "line 1: columns 1 and 3 have the same name `a`");
    assert_eq!(fault("a,,b\n1,2,3\n"), "line 1: column 2 of 3 has no name");
    assert_eq!(fault("a,b\n1,2\n3,\"4\n5,6\n"), "line 3: a quoted cell begins here and is never closed");
    assert_eq!(fault("\r\na,b\r\n1,2\r\n\r\n\r\n3\r\n"), "line 6: 1 cell, where the header has 2 (`a`, `b`)");
    let options = CsvOptions { comment: Some(b'#'), ..CsvOptions::default() };
    assert_eq!(csv("a,b\n# \"\n# c\n3\n", &options).unwrap_err(), "line 4: 1 cell, where the header has 2 (`a`, `b`)");
    assert!(csv("a\n# \"\n\"1\n2\"\n", &options).is_ok(), "a quote in a comment is none");
    let options = CsvOptions::default();
    assert_eq!(csv_bytes(b"a\n1\n\xff\n", &options).unwrap_err(), "line 3: this is not UTF-8 text");
    assert_eq!(csv_bytes(b"\xff\n1\n", &options).unwrap_err(), "line 1: this is not UTF-8 text");
    let given = CsvOptions { header: Header::Given(vec!["a".into()]), ..CsvOptions::default() };
    assert_eq!(csv("1,2\n", &given).unwrap_err(), "line 1: 2 cells, where `header` names 1 (`a`)");
}

#[test]
fn quoted_line_breaks_at_the_end_are_no_fault() {
    let rows = csv("a\n\"1\n2\"", &CsvOptions::default()).unwrap();
    assert_eq!(rows, [["a"], ["1\n2"]]);
    assert_eq!(csv("a\n\"1\n\"\"2\"\"\"\n", &CsvOptions::default()).unwrap(), [["a"], ["1\n\"2\""]]);
}

#[test]
fn json_lists_and_lines() {
    let read = |text: &str| texts(json(text.as_bytes()));
    assert_eq!(
        read(" [1, {\"b\": 1, \"a\": [1.50]}, \"x\", null]\n").unwrap(),
        ["1", r#"{"b":1,"a":[1.5]}"#, "\"x\"", "null"]
    );
    assert_eq!(read("\u{feff}[true]").unwrap(), ["true"]);
    assert_eq!(read("[]").unwrap_err(), "it has no items");
    assert_eq!(read("{\"a\": 1}").unwrap_err(), "line 1: a JSON list is wanted, this is an object");
    assert_eq!(read("42").unwrap_err(), "line 1: a JSON list is wanted, this is a number");
    assert_eq!(read("[1,\n 2,,]").unwrap_err(), "line 2: no JSON from column 4 on: expected value");
    assert_eq!(read("").unwrap_err(), "line 1: the JSON ends too early");
    assert_eq!(read("[1] 2").unwrap_err(), "line 1: no JSON from column 5 on: trailing characters");
    assert_eq!(texts(json(&b"[\n\"\xff\"]"[..])).unwrap_err(), "line 2: this is not UTF-8 text");
    let read = |text: &str| texts(jsonl(text.as_bytes()));
    assert_eq!(read("{\"a\": 1}\n\n  \r\n[2]\r\n3").unwrap(), [r#"{"a":1}"#, "[2]", "3"]);
    assert_eq!(read("1\n\n{\"a\": }\n").unwrap_err(), "line 3: no JSON from column 7 on: expected value");
    assert_eq!(read("\n").unwrap_err(), "it has no lines");
}

#[test]
fn text_lines() {
    assert_eq!(texts(lines("\u{feff}a\r\n\n  b \nc".as_bytes())).unwrap(), ["a", "  b ", "c"]);
    assert_eq!(texts(lines(&b"a\n\xff"[..])).unwrap_err(), "line 2: this is not UTF-8 text");
    assert_eq!(texts(lines(&b""[..])).unwrap_err(), "it has no lines");
}

fn feed(order: Order, count: i64) -> Feed {
    let rows = Rows::Steps(Steps::new(0, count, 1).unwrap());
    Feed { name: "numbers".into(), source: "range(0, …)".into(), order, rows }
}

#[test]
fn each_order_gives_what_its_name_says() {
    let taken = |order, times: usize| {
        let feed = feed(order, 5);
        let cursor = feed.cursor(1);
        (0..times).map(|turn| feed.next(&cursor, 0, 42, || turn as u64 * (u64::MAX / 8))).collect::<Vec<_>>()
    };
    let some = |rows: &[u64]| rows.iter().map(|row| Some(*row)).collect::<Vec<_>>();
    assert_eq!(taken(Order::Circular, 7), some(&[0, 1, 2, 3, 4, 0, 1]));
    for order in [Order::Queue, Order::Unique] {
        assert_eq!(taken(order, 7), [some(&[0, 1, 2, 3, 4]), vec![None, None]].concat());
    }
    assert_eq!(taken(Order::Random, 8), some(&[0, 0, 1, 1, 2, 3, 3, 4]), "it follows from the random bits alone");
    let shuffled = taken(Order::Shuffle, 10);
    let sorted = |rows: &[Option<u64>]| rows.iter().flatten().copied().collect::<std::collections::BTreeSet<_>>();
    assert_eq!((sorted(&shuffled[..5]).len(), sorted(&shuffled[5..]).len()), (5, 5));
    assert_eq!(shuffled, taken(Order::Shuffle, 10), "the seed decides");
}

#[test]
fn a_generated_feed_counts_without_end() {
    let feed = Feed { rows: Rows::Generated, ..feed(Order::Circular, 1) };
    let cursor = feed.cursor(4);
    assert_eq!(
        (0..8).map(|turn| feed.next(&cursor, turn % 4, 0, || 0)).collect::<Vec<_>>(),
        (0..8).map(Some).collect::<Vec<_>>()
    );
    assert_eq!(feed.to_string(), "numbers: range(0, …), without end");
}

#[test]
fn a_table_takes_little_more_than_its_text() {
    let mut text = String::from("id,name,email,city,note\n");
    for row in 0..20_000 {
        text += &format!("{row},user-{row},user-{row}@example.com,Springfield,\"a, b\"\n");
    }
    let table = Table::read(Bytes::new(text.as_bytes()), text.len(), &CsvOptions::default()).unwrap();
    assert_eq!((table.len(), table.cell(19_999, 2), table.cell(0, 4)), (20_000, "user-19999@example.com", "a, b"));
    assert!(table.memory() < text.len() * 3 / 2, "{} for {}", table.memory(), text.len());
}

proptest! {
    #[test]
    fn what_is_written_as_csv_is_read_back(
        (width, cells) in (1_usize..5).prop_flat_map(|width| {
            (Just(width), prop::collection::vec("[a\",;\r\n ü#]{0,6}", width..width * 20))
        }),
        delimiter in prop::sample::select(vec![b',', b';', b'\t']),
    ) {
        let rows: Vec<&[String]> = cells.chunks_exact(width).collect();
        let mut writer = csv::WriterBuilder::new();
        let mut writer = writer.delimiter(delimiter).quote_style(csv::QuoteStyle::Always).from_writer(Vec::new());
        rows.iter().for_each(|row| writer.write_record(*row).unwrap());
        let bytes = writer.into_inner().unwrap();
        let options = CsvOptions { delimiter, header: Header::Numbered, ..CsvOptions::default() };
        let table = Table::read(Bytes::new(&bytes), bytes.len(), &options).map_err(told);
        let table = table.map_err(TestCaseError::fail)?;
        prop_assert_eq!(table.len(), rows.len());
        for (at, row) in rows.iter().enumerate() {
            prop_assert!(table.row(at).eq(row.iter().map(String::as_str)));
        }
    }

    #[test]
    fn no_file_makes_a_reader_panic(bytes in prop::collection::vec(prop::sample::select(b"a,\"\n\r[]{}:1 \xff\xc3".to_vec()), 0..60)) {
        for header in [Header::First, Header::Numbered, Header::Given(vec!["a".into(), "b".into()])] {
            let options = CsvOptions { header, comment: Some(b':'), ..CsvOptions::default() };
            if let Ok(table) = Table::read(Bytes::new(&bytes), bytes.len(), &options) {
                prop_assert!((0..table.len()).all(|row| table.row(row).count() == table.columns().len()));
            }
        }
        for read in [json(&bytes[..]), jsonl(&bytes[..]), lines(&bytes[..])] {
            let line = read.err().and_then(|fault| fault.line).unwrap_or(1);
            prop_assert!((1..=61).contains(&line));
        }
    }
}
