//! Data feeds from outside: who gets which row, how a run without further rows ends, and everything that can be wrong with a file.

use crate::builder::{Outcome, punk};
use insta::assert_snapshot;

const USERS: &str = "name,first name,age\nann,Ann,31\nbob,\"Bob \"\"B\"\"\",42\ncid,Cid,53\n";

/// Lines that the script printed with `print`, sorted.
fn printed(outcome: &Outcome) -> Vec<String> {
    let lines = outcome.stderr();
    let mut lines: Vec<String> = lines.lines().filter_map(|line| line.strip_prefix("> ")).map(str::to_owned).collect();
    lines.sort();
    lines
}

/// Runs a script with `users.csv` beside it on two shards.
fn run(script: &str) -> Outcome {
    punk().file("users.csv", USERS).script(script).args("--shards 2").run()
}

#[test]
fn each_source_gives_its_rows() {
    let script = r#"
        feed("csv", feed::csv("users.csv"));
        feed("bare", feed::csv("data/bare.txt", #{ delimiter: ";", header: ["a", "b"], quote: "", comment: "%", trim: true }));
        feed("json", feed::json("data/list.json"));
        feed("jsonl", feed::jsonl("data/list.jsonl"));
        feed("lines", feed::lines("data/lines.txt"));
        feed("range", feed::range(10, 30, 10));
        feed("squares", feed::generate(|i| #{ n: i, square: i * i }));
        fn run() {
            let ann = feed("csv").next();
            if ann.name != "ann" || ann["first name"] != "Ann" || ann[-1] != "31" || parse_int(ann.age) != 31 { throw "csv " + ann; }
            let bob = feed("csv").next();
            if bob.to_json() != "{\"name\":\"bob\",\"first name\":\"Bob \\\"B\\\"\",\"age\":\"42\"}" { throw "json " + bob.to_json(); }
            if feed("csv").len() != 3 || feed("csv")[2].name != "cid" || feed("csv")[-1] != feed("csv").get(2) { throw "index"; }
            if feed("csv").get(3) != () || feed("csv").get(-4) != () { throw "beyond"; }
            let bare = feed("bare").next();
            if bare.a != "\"x" || bare.b != "y" { throw "bare " + bare; }
            if feed("json").next().tags[1] != "b" || feed("json").next() != 2.5 || feed("json").next() != () { throw "json"; }
            if feed("jsonl").next().id != 1 || feed("jsonl").next() != "two" { throw "jsonl"; }
            if feed("lines").next() != "first" || feed("lines").next() != " second" || feed("lines").next() != "first" { throw "lines"; }
            if feed("range").next() != 10 || feed("range").next() != 20 || feed("range").next() != 10 { throw "range"; }
            if feed("squares").next().square != 0 || feed("squares").next().square != 1 || feed("squares")[7].square != 49 { throw "squares"; }
            if feed("squares").len() != () { throw "endless"; }
        }"#;
    punk()
        .file("users.csv", USERS)
        .file("data/bare.txt", "% no row\n \"x ; y \n")
        .file("data/list.json", "[{\"id\": 7, \"tags\": [\"a\", \"b\"]}, 2.5, null]")
        .file("data/list.jsonl", "{\"id\": 1}\n\n\"two\"\n")
        .file("data/lines.txt", "first\r\n\r\n second\r\n")
        .script(script)
        .run()
        .assert_passed();
}

#[test]
fn rows_go_round_over_all_users_and_shards() {
    let outcome = run(r#"
        feed("users", feed::csv("users.csv"));
        scenario("a", #{ users: 4, iterations: 30, run: f });
        fn f() { print("> " + feed("users").next().name); }"#);
    let lines = printed(outcome.assert_passed());
    for name in ["ann", "bob", "cid"] {
        assert_eq!(lines.iter().filter(|line| *line == name).count(), 10, "{lines:?}");
    }
}

#[test]
fn a_queue_gives_each_row_once_and_ends_its_scenario_cleanly() {
    let outcome = run(r#"
        feed("orders", feed::range(0, 500).queue());
        scenario("drain", #{ users: 7, duration: 10.m, run: drain, stop: leave });
        scenario("other", #{ users: 1, iterations: 3, run: other });
        fn drain() {
            let order = feed("orders").next();
            metric::add("sum", order);
            if order % 100 == 0 { sleep(5.ms); }
        }
        fn leave() { metric::add("left", 1); }
        fn other() { sleep(1.ms); }
        metric::counter("sum");
        metric::counter("left");"#);
    outcome.assert_code(0).assert_stderr("scenario drain ends: the 500 rows of the queue `orders` are used up");
    assert_eq!(outcome.metric("iterations", "count"), 503.0, "asking in vain is no iteration");
    assert_eq!(outcome.metric("sum", "count"), f64::from((0..500).sum::<u32>()), "no row is lost and none comes twice");
    assert_eq!((outcome.metric("left", "count"), outcome.metric("script_errors", "count")), (7.0, 0.0));
}

#[test]
fn a_queue_ends_arrivals_too() {
    let outcome = run(r#"
        feed("orders", feed::range(0, 40).queue());
        scenario("open", #{ rate: constant(200), duration: 10.m, max_users: 5, run: f });
        fn f() { feed("orders").next(); sleep(1.ms); }"#);
    outcome.assert_passed();
    assert_eq!((outcome.metric("iterations", "count"), outcome.metric("script_errors", "count")), (40.0, 0.0));
}

#[test]
fn a_queue_that_is_empty_ends_users_before_their_first_iteration() {
    let outcome = run(r#"
        feed("users", feed::csv("users.csv").queue());
        scenario("a", #{ users: 5, duration: 10.m, start: log_in, run: f });
        fn log_in() { this.user = feed("users").next(); }
        fn f() { print("> " + this.user.name); sleep(1.ms); }"#);
    outcome.assert_passed();
    assert_eq!(outcome.metric("script_errors", "count"), 0.0);
}

#[test]
fn promised_iterations_that_found_no_row_are_dropped() {
    let outcome = run(r#"
        feed("users", feed::csv("users.csv").queue());
        scenario("a", #{ users: 8, iterations: 10, run: f });
        fn f() { try { feed("users").next(); } catch { print("caught"); } }"#);
    outcome.assert_passed();
    assert_eq!((outcome.metric("iterations", "count"), outcome.metric("dropped_iterations", "count")), (3.0, 7.0));
    assert!(!outcome.stderr().contains("caught"), "the end of a queue is no error");
}

#[test]
fn a_unique_feed_that_runs_out_is_an_error() {
    let outcome = run(r#"
        feed("users", feed::csv("users.csv").unique());
        scenario("a", #{ users: 5, iterations_per_user: 1, run: f });
        fn f() { print("> " + feed("users").next().name); }"#);
    outcome.assert_passed();
    assert_eq!(printed(&outcome), ["ann", "bob", "cid"]);
    assert_eq!((outcome.metric("iterations", "count"), outcome.metric("script_errors", "count")), (5.0, 2.0));
    assert!(
        outcome.stdout().contains(
            "all 3 rows of the feed `users` are used up: it is `.unique()`, which gives each row once in a run"
        ),
        "{}",
        outcome.told()
    );
}

#[test]
fn the_seed_decides_random_and_shuffled_rows_whatever_the_shards() {
    let rows = |order: &str, arguments: &str| {
        let script = format!(
            r#"feed("n", feed::range(0, 1000).{order}());
            scenario("a", #{{ users: 4, iterations_per_user: 5, run: f }});
            fn f() {{ print("> " + feed("n").next()); }}"#
        );
        printed(&punk().script(&script).args(arguments).run())
    };
    for order in ["random", "shuffle"] {
        let two = rows(order, "--seed 7 --shards 2");
        assert_eq!((two.len(), &two), (20, &rows(order, "--seed 7 --shards 1")), "{order}");
        assert_ne!(two, rows(order, "--seed 8 --shards 2"), "{order}");
    }
}

#[test]
fn setup_and_libraries_take_rows_too() {
    let outcome = punk()
        .file("lib/data/more.csv", "word\nhello\n")
        .file(
            "lib/words.rhai",
            "feed(\"words\", feed::csv(\"data/more.csv\"));\nfn word() { feed(\"words\").next().word }",
        )
        .script(
            r#"import "lib/words" as words;
            feed("letters", feed::generate(|| rand::text(3)));
            fn setup() { #{ first: feed("words").next(), letters: feed("letters").next() } }
            fn run(data) { print("> " + words::word() + " " + data.first.word + " " + data.letters.len()); }"#,
        )
        .run();
    outcome.assert_passed();
    assert_eq!(printed(&outcome), ["hello hello 3"], "{}", outcome.told());
    let empty = punk()
        .script(
            r#"feed("n", feed::range(0, 1).queue()); fn setup() { feed("n").next(); feed("n").next(); } fn run() { }"#,
        )
        .run();
    empty.assert_code(107).assert_stderr("the one row of the feed `n` is used up: it is `.queue()`");
}

#[test]
fn a_row_is_a_body_and_a_form() {
    let target = crate::builder::target();
    let outcome = punk()
        .file("users.csv", USERS)
        .target(&target)
        .script(
            r#"options(#{ base_url: "TARGET" });
            feed("users", feed::csv("users.csv"));
            fn run() {
                let user = feed("users").next();
                let sent = http::post("/echo", user).json();
                print("> " + sent.body);
                print("> " + http::post("/echo", (), #{ form: user }).json("$.body"));
                print("> " + http::get("/echo", #{ query: user }).url);
            }"#,
        )
        .run();
    outcome.assert_passed();
    assert_snapshot!(printed(&outcome).join("\n"), @r#"
    TARGET/echo?name=ann&first+name=Ann&age=31
    name=ann&first+name=Ann&age=31
    {"name":"ann","first name":"Ann","age":"31"}
    "#);
}

#[test]
fn a_check_lists_the_feeds() {
    let script = r#"
        feed("users", feed::csv("users.csv").shuffle());
        feed("numbers", feed::range(0, 100, 5).queue());
        feed("made", feed::generate(|i| i));
        fn run() { }"#;
    let check = |arguments: &str| punk().command("check").file("users.csv", USERS).script(script).args(arguments).run();
    let text = check("").stdout();
    assert_snapshot!(text[text.find("FEEDS").unwrap_or(0)..].split("\n\n").next().unwrap_or_default(), @r#"
    FEEDS
      name     rows of           rows         order     columns
      users    csv users.csv     3            shuffle   name, first name, age
      numbers  range(0, 100, 5)  20           queue
      made     generate          without end  circular
    "#);
    assert_snapshot!(check("--json").json()["plan"]["feeds"], @r#"[{"name":"users","source":"csv users.csv","order":"shuffle","rows":3,"columns":["name","first name","age"]},{"name":"numbers","source":"range(0, 100, 5)","order":"queue","rows":20},{"name":"made","source":"generate","order":"circular"}]"#);
}

/// What `punk check` says of a script with a data file `data` beside it.
fn wrong(script: &str, data: impl AsRef<[u8]>) -> String {
    let outcome = punk().command("check").file("data", data).script(&format!("{script}\nfn run() {{ }}")).run();
    outcome.assert_code(104);
    outcome.stderr()
}

#[test]
fn a_file_that_is_not_there() {
    assert_snapshot!(wrong("feed(\"users\", feed::csv(\"user.csv\").random());", ""), @r#"
    error: `user.csv`: no such file or directory
     --> test.rhai:1:25
      |
    1 | feed("users", feed::csv("user.csv").random());
      |                         ^^^^^^^^^^
      |
      = help: looked for `user.csv`; a path is relative to the script's file

    1 error
    "#);
    assert_snapshot!(wrong("feed(\"users\", feed::json(\"../\"));", ""), @r#"
    error: `../`: it is a folder
     --> test.rhai:1:26
      |
    1 | feed("users", feed::json("../"));
      |                          ^^^^^

    1 error
    "#);
}

#[test]
fn a_csv_file_that_is_wrong() {
    let csv = |data: &str| wrong("feed(\"users\", feed::csv(\"data\"));", data);
    assert_snapshot!(csv(""), @r#"
    error: `data`: it is empty
     --> test.rhai:1:25
      |
    1 | feed("users", feed::csv("data"));
      |                         ^^^^^^
      |
      = help: a line with the columns' names and at least one row is wanted

    1 error
    "#);
    assert_snapshot!(csv("name,age\n"), @r#"
    error: `data`: it has the columns `name`, `age` and no row
     --> test.rhai:1:25
      |
    1 | feed("users", feed::csv("data"));
      |                         ^^^^^^
      |
      = help: at least one row is wanted

    1 error
    "#);
    assert_snapshot!(csv("name,age\nann,31\nbob,42,1\n"), @r#"
    error: `data`, line 3: 3 cells, where the header has 2 (`name`, `age`)
     --> test.rhai:1:25
      |
    1 | feed("users", feed::csv("data"));
      |                         ^^^^^^
      |
      = help: a cell that holds the delimiter is quoted; another delimiter is `#{ delimiter: ";" }`

    1 error
    "#);
    assert_snapshot!(csv("name,name\nann,31\n"), @r#"
    error: `data`, line 1: columns 1 and 2 have the same name `name`
     --> test.rhai:1:25
      |
    1 | feed("users", feed::csv("data"));
      |                         ^^^^^^

    1 error
    "#);
    assert_snapshot!(csv("name,age\nann,\"31\nbob,42\n"), @r#"
    error: `data`, line 2: a quoted cell begins here and is never closed
     --> test.rhai:1:25
      |
    1 | feed("users", feed::csv("data"));
      |                         ^^^^^^
      |
      = help: a quote inside of a quoted cell is doubled: `"say ""hi"""`

    1 error
    "#);
    assert_snapshot!(wrong("feed(\"users\", feed::csv(\"data\"));", b"name\nann\nb\xf6b\n"), @r#"
    error: `data`, line 3: this is not UTF-8 text
     --> test.rhai:1:25
      |
    1 | feed("users", feed::csv("data"));
      |                         ^^^^^^
      |
      = help: save the file as UTF-8

    1 error
    "#);
}

#[test]
fn a_json_file_that_is_wrong() {
    assert_snapshot!(wrong("feed(\"users\", feed::json(\"data\"));", "{ \"users\": [] }"), @r#"
    error: `data`, line 1: a JSON list is wanted, this is an object
     --> test.rhai:1:26
      |
    1 | feed("users", feed::json("data"));
      |                          ^^^^^^
      |
      = help: put the rows in `[ … ]`; one value per line is `feed::jsonl`

    1 error
    "#);
    assert_snapshot!(wrong("feed(\"users\", feed::json(\"data\"));", "[]"), @r#"
    error: `data`: it has no items
     --> test.rhai:1:26
      |
    1 | feed("users", feed::json("data"));
      |                          ^^^^^^
      |
      = help: at least one row is wanted

    1 error
    "#);
    assert_snapshot!(wrong("feed(\"users\", feed::json(\"data\"));", "[1,\n2,\n]"), @r#"
    error: `data`, line 3: no JSON from column 1 on: trailing comma
     --> test.rhai:1:26
      |
    1 | feed("users", feed::json("data"));
      |                          ^^^^^^

    1 error
    "#);
    assert_snapshot!(wrong("feed(\"users\", feed::jsonl(\"data\"));", "{}\n{\n"), @r#"
    error: `data`, line 2: the JSON ends too early
     --> test.rhai:1:27
      |
    1 | feed("users", feed::jsonl("data"));
      |                           ^^^^^^
      |
      = help: is the file complete?

    1 error
    "#);
    assert_snapshot!(wrong("feed(\"users\", feed::lines(\"data\"));", "\n\n"), @r#"
    error: `data`: it has no lines
     --> test.rhai:1:27
      |
    1 | feed("users", feed::lines("data"));
      |                           ^^^^^^
      |
      = help: at least one row is wanted

    1 error
    "#);
}

#[test]
fn a_declaration_that_is_wrong() {
    assert_snapshot!(wrong("feed(\"a\", feed::csv(\"data\", #{ delimitr: \";\", header: 7, quote: \"ab\" }));", "a\n1\n"), @r#"
    error: unknown option `delimitr` of `feed::csv`
     --> test.rhai:1:32
      |
    1 | feed("a", feed::csv("data", #{ delimitr: ";", header: 7, quote: "ab" }));
      |                                ^^^^^^^^ did you mean `delimiter`?

    error: `header` is `true`, `false` or the names of the columns, not an integer
     --> test.rhai:1:55
      |
    1 | feed("a", feed::csv("data", #{ delimitr: ";", header: 7, quote: "ab" }));
      |                                                       ^
      |
      = help: `header: ["name", "age"]` for a file without a line of names

    error: `quote` is one ASCII character such as `";"` or `"\t"`, not "ab"
     --> test.rhai:1:65
      |
    1 | feed("a", feed::csv("data", #{ delimitr: ";", header: 7, quote: "ab" }));
      |                                                                 ^^^^

    3 errors
    "#);
    assert_snapshot!(wrong("feed(\"a\", feed::csv(\"data\", #{ delimiter: \"|\", comment: \"|\" }));", "a\n1\n"), @r#"
    error: `delimiter`, `quote` and `comment` are different characters
     --> test.rhai:1:43
      |
    1 | feed("a", feed::csv("data", #{ delimiter: "|", comment: "|" }));
      |                                           ^^^

    1 error
    "#);
    assert_snapshot!(wrong("feed(\"a\", \"data\");\nfeed(7, feed::lines(\"data\"));\nfeed(\"b\", feed::lines(7));", "a\n"), @r#"
    error: the second argument of `feed` says where its rows come from, this is a string
     --> test.rhai:1:11
      |
    1 | feed("a", "data");
      |           ^^^^^^
      |
      = help: `feed("users", feed::csv("users.csv"))`

    error: a feed's name is text, not an integer
     --> test.rhai:2:6
      |
    2 | feed(7, feed::lines("data"));
      |      ^

    error: `feed::lines` takes the path of a file, not an integer
     --> test.rhai:3:23
      |
    3 | feed("b", feed::lines(7));
      |                       ^
      |
      = help: relative to the script's file

    3 errors
    "#);
    assert_snapshot!(wrong("feed(\"a\", feed::lines(\"data\").queue().random());\nfeed(\"a\", feed::lines(\"data\"));", "a\n"), @r#"
    error: a feed has one order, not `.queue()` and `.random()`
     --> test.rhai:1:1
      |
    1 | feed("a", feed::lines("data").queue().random());
      | ^^^^

    error: a feed `a` exists already
     --> test.rhai:2:6
      |
    2 | feed("a", feed::lines("data"));
      |      ^^^

    2 errors
    "#);
    assert_snapshot!(wrong("feed(\"a\", feed::range(1, 1));\nfeed(\"b\", feed::range(9, 1));\nfeed(\"c\", feed::range(1, 9, 0));\nfeed(\"d\", feed::range(1, \"9\"));", ""), @r#"
    error: there is no number from 1 up to, not including, 1
     --> test.rhai:1:26
      |
    1 | feed("a", feed::range(1, 1));
      |                          ^
      |
      = help: the end is not part of the range, as in Rhai's own `range`

    error: there is no number from 9 up to, not including, 1
     --> test.rhai:2:26
      |
    2 | feed("b", feed::range(9, 1));
      |                          ^
      |
      = help: counting down, the first number is the larger one and the step negative: `feed::range(10, 0, -1)`

    error: a range with a step of 0 never gets anywhere
     --> test.rhai:3:29
      |
    3 | feed("c", feed::range(1, 9, 0));
      |                             ^

    error: `feed::range` takes whole numbers, not a string
     --> test.rhai:4:26
      |
    4 | feed("d", feed::range(1, "9"));
      |                          ^^^

    4 errors
    "#);
    assert_snapshot!(wrong("feed(\"a\", feed::generate(7));\nfeed(\"b\", feed::generate(|i| i).queue());", ""), @r#"
    error: `feed::generate` takes a closure such as `|i| i * 10`, not an integer
     --> test.rhai:1:26
      |
    1 | feed("a", feed::generate(7));
      |                          ^

    error: `feed::generate` has no end, so `.queue()` means nothing
     --> test.rhai:2:1
      |
    2 | feed("b", feed::generate(|i| i).queue());
      | ^^^^
      |
      = help: leave it away: each number `i` is given once over the whole run

    2 errors
    "#);
}

/// What `punk check` says of a script with `users.csv` beside it; nothing when all is well.
fn checked(script: &str) -> String {
    punk().command("check").file("users.csv", USERS).script(script).run().stderr()
}

#[test]
fn a_feed_that_nobody_declared() {
    assert_snapshot!(checked("feed(\"users\", feed::csv(\"users.csv\"));\nfn run() { feed(\"user\").next(); group(\"a\", || feed(\"orders\").len()); }"), @r#"
    error: there is no feed `user`
     --> test.rhai:2:17
      |
    2 | fn run() { feed("user").next(); group("a", || feed("orders").len()); }
      |                 ^^^^^^ did you mean `users`?

    error: there is no feed `orders`; declared are `users`
     --> test.rhai:2:52
      |
    2 | fn run() { feed("user").next(); group("a", || feed("orders").len()); }
      |                                                    ^^^^^^^^
      |
      = help: declare it at the top level: `feed("orders", feed::csv("orders.csv"));`

    2 errors
    "#);
    assert_snapshot!(checked("fn run() { feed(\"user\").next(); }"), @r#"
    error: there is no feed `user`: the script declares none
     --> test.rhai:1:17
      |
    1 | fn run() { feed("user").next(); }
      |                 ^^^^^^
      |
      = help: declare it at the top level: `feed("user", feed::csv("user.csv"));`

    1 error
    "#);
    let outcome =
        run("feed(\"users\", feed::csv(\"users.csv\"));\nfn run() { let name = \"user\" + \"\"; feed(name).next(); }");
    assert_eq!(outcome.assert_passed().metric("script_errors", "count"), 1.0);
    assert!(outcome.stdout().contains("there is no feed `user`; did you mean `users`?"), "{}", outcome.told());
}

#[test]
fn a_column_that_is_not_there() {
    assert_snapshot!(checked(r#"
feed("users", feed::csv("users.csv"));
fn run() {
    let user = feed("users").next();
    let r = #{ nmae: 1 };
    print(user.nmae + user["fist name"].len() + feed("users")[0].agge + feed("users").next().name.len());
    group("a", || { print(user.nane); check(r, #{ "b": |r| r.nmae == user.aeg }); });
}"#), @r#"
    error: the feed `users` has no column `nmae`
     --> test.rhai:6:16
      |
    6 |     print(user.nmae + user["fist name"].len() + feed("users")[0].agge + feed("users").next().name.len());
      |                ^^^^ did you mean `name`?
      |
      = help: the columns are `name`, `first name`, `age`

    error: the feed `users` has no column `fist name`
     --> test.rhai:6:28
      |
    6 |     print(user.nmae + user["fist name"].len() + feed("users")[0].agge + feed("users").next().name.len());
      |                            ^^^^^^^^^ did you mean `first name`?
      |
      = help: the columns are `name`, `first name`, `age`

    error: the feed `users` has no column `agge`
     --> test.rhai:6:66
      |
    6 |     print(user.nmae + user["fist name"].len() + feed("users")[0].agge + feed("users").next().name.len());
      |                                                                  ^^^^ did you mean `age`?
      |
      = help: the columns are `name`, `first name`, `age`

    error: the feed `users` has no column `nane`
     --> test.rhai:7:32
      |
    7 |     group("a", || { print(user.nane); check(r, #{ "b": |r| r.nmae == user.aeg }); });
      |                                ^^^^ did you mean `name`?
      |
      = help: the columns are `name`, `first name`, `age`

    error: the feed `users` has no column `aeg`
     --> test.rhai:7:75
      |
    7 |     group("a", || { print(user.nane); check(r, #{ "b": |r| r.nmae == user.aeg }); });
      |                                                                           ^^^ did you mean `age`?
      |
      = help: the columns are `name`, `first name`, `age`

    5 errors
    "#);
    let outcome =
        run(r#"feed("users", feed::csv("users.csv")); fn first() { feed("users").next() } fn run() { first().nmae }"#);
    assert_eq!(outcome.assert_passed().metric("script_errors", "count"), 1.0);
    let told = "there is no column `nmae`; did you mean `name`? (the columns are `name`, `first name`, `age`)";
    assert!(outcome.summary()["errors"].to_string().contains(told), "{}", outcome.told());
}

#[test]
fn what_may_be_something_else_is_left_alone() {
    let clean = r#"
feed("users", feed::csv("users.csv"));
feed("list", feed::generate(|i| #{ nmae: i }));
fn one(user) { user.nmae }
fn two() { let user = feed("users").next(); user = #{ nmae: 1 }; user.nmae }
fn three() { let user = feed("users").next(); for user in [#{ nmae: 1 }] { print(user.nmae); } }
fn four() { let user = feed("users").next(); [#{ nmae: 1 }].map(|user| user.nmae) }
fn five() { let user = feed("list").next(); user.nmae }
fn six() { let user = feed("users").next(); if true { let user = #{ nmae: 1 }; user.nmae } else { user.name } }
fn seven() { let user = feed("users").next(); user["first name"].len() + user.to_map().nmae + user.values()[0] }
fn run() { }"#;
    assert_eq!(checked(clean), "");
}
