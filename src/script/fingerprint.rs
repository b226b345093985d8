//! What of a script is code: the fingerprint by which an edit of a rule or of a load is told apart from one of a function.
//!
//! Called by `compile` for the Plan. It looks at the tokens of the files, so that comments, line breaks and places do not
//! count. Closures that users run are code; those that rules, curves and `adaptive` ask are not. In doubt something is code:
//! a new revision that does the same is harmless, an edit that nobody takes is not.

use super::source::{Sources, is_library, sha256};
use crate::plan::{Code, Growth, Pacing, Scenario};
use rhai::{Engine, Token};
use std::collections::{BTreeMap, BTreeSet};

/// The fingerprints of the files, and of who runs what.
pub(super) fn code(engine: &Engine, sources: &Sources, scenarios: &[Scenario]) -> Code {
    let mut texts = Texts::default();
    for (at, file) in sources.files.iter().enumerate() {
        if !is_library(&file.path) {
            let place = if at == 0 { String::new() } else { format!(" in {}", file.path) };
            File { place, bound: Vec::new(), texts: &mut texts }.read(&tokens(engine, &file.text));
        }
    }
    for scenario in scenarios {
        texts.parts.entry(format!("functions of {}", scenario.name)).or_default().push_str(&named(scenario));
    }
    let hashed = |texts: BTreeMap<String, String>| -> BTreeMap<String, String> {
        texts.into_iter().map(|(name, text)| (name, sha256(&text))).collect()
    };
    let (parts, asked, steering) = (hashed(texts.parts), hashed(texts.asked), hashed(texts.steering));
    let whole: String = parts.iter().map(|(name, hash)| format!("{name}\0{hash}\n")).collect();
    Code { hash: sha256(&whole), parts, asked, steering }
}

/// Which functions a scenario runs, without their weights.
fn named(scenario: &Scenario) -> String {
    let mix: Vec<&str> = scenario.life.mix.iter().map(|one| one.run.as_str()).collect();
    let run = if mix.is_empty() { vec![scenario.run.as_str()] } else { mix };
    let pacing = scenario.life.pacing.as_ref().filter(|pacing| matches!(pacing, Pacing::Script(_)));
    let backoff = Some(&scenario.life.backoff.growth).filter(|growth| matches!(growth, Growth::Script(_)));
    format!("{run:?} {:?} {:?} {pacing:?} {backoff:?}", scenario.start, scenario.stop)
}

/// All tokens but comments; none from the first one on that is no token.
fn tokens(engine: &Engine, text: &str) -> Vec<Token> {
    let (stream, control) = engine.lex([&text]);
    let mut found = Vec::new();
    // Whether each open brace belongs to a `${`, behind whose end the text goes on: the parser's part, which is done here.
    let mut braces = Vec::new();
    for (token, _) in stream {
        match &token {
            Token::EOF | Token::LexError(_) => break,
            Token::Comment(_) => continue,
            Token::LeftBrace => braces.push(matches!(found.last(), Some(Token::InterpolatedString(_)))),
            Token::MapStart => braces.push(false),
            Token::RightBrace if braces.pop() == Some(true) => control.borrow_mut().is_within_text = true,
            _ => {}
        }
        found.push(token);
    }
    found
}

fn opens(token: &Token) -> bool {
    use Token::{LeftBrace, LeftBracket, LeftParen, MapStart, QuestionBracket};
    matches!(token, LeftParen | LeftBracket | QuestionBracket | LeftBrace | MapStart)
}

fn closes(token: &Token) -> bool {
    matches!(token, Token::RightParen | Token::RightBracket | Token::RightBrace)
}

fn name_of(token: Option<&Token>) -> Option<&str> {
    match token? {
        Token::Identifier(name) => Some(name),
        _ => None,
    }
}

/// Tokens as text that is the same only for the same tokens.
fn written(tokens: &[Token]) -> String {
    tokens.iter().map(|token| format!("{token:?}\0")).collect()
}

/// How many of `tokens` come before the end of the first expression: a comma, a semicolon or a bracket of what is around.
fn expression(tokens: &[Token]) -> usize {
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate() {
        if opens(token) {
            depth += 1;
        } else if depth == 0 && (closes(token) || matches!(token, Token::Comma | Token::SemiColon)) {
            return at;
        } else if closes(token) {
            depth -= 1;
        }
    }
    tokens.len()
}

/// How many of `tokens` the first statement of a top level has.
fn statement(tokens: &[Token]) -> usize {
    use Token::{Else, Fn, For, If, LeftBrace, Loop, Private, SemiColon, Switch, Try, While};
    let ends_with_block =
        matches!(tokens.first(), Some(Fn | Private | If | For | While | Loop | Switch | LeftBrace | Try));
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate() {
        if opens(token) {
            depth += 1;
        } else if closes(token) {
            depth = depth.saturating_sub(1);
            let goes_on = matches!(tokens.get(at + 1), Some(Else | Token::Catch));
            if depth == 0 && ends_with_block && matches!(token, Token::RightBrace) && !goes_on {
                return at + 1;
            }
        } else if depth == 0 && matches!(token, SemiColon) {
            return at + 1;
        }
    }
    tokens.len()
}

/// The texts of what has been found, by name.
#[derive(Default)]
struct Texts {
    parts: BTreeMap<String, String>,
    asked: BTreeMap<String, String>,
    steering: BTreeMap<String, String>,
}

/// Who asks a closure.
#[derive(Clone, Copy, PartialEq)]
enum Asker {
    Users,
    Rules,
    Loads,
}

/// One file while it is read.
struct File<'a> {
    /// What is added to names of parts that stand in it.
    place: String,
    /// Variables of the top level: the name, and what says its value. They are code where a closure of users captures them.
    bound: Vec<(String, Vec<Token>)>,
    texts: &'a mut Texts,
}

impl File<'_> {
    fn read(mut self, tokens: &[Token]) {
        let mut closures = Closures::default();
        let mut rest = tokens;
        while !rest.is_empty() {
            let (own, after) = rest.split_at(statement(rest));
            rest = after;
            let start = own.iter().position(|token| !matches!(token, Token::Private | Token::Export)).unwrap_or(0);
            let (first, second) = (own.get(start), own.get(start + 1));
            match first {
                Some(Token::Fn) => {
                    let head =
                        own[start + 1..].iter().take_while(|token| !matches!(token, Token::LeftParen | Token::Unit));
                    let name: String = head.map(ToString::to_string).collect();
                    self.part(&format!("fn {name}"), own);
                }
                Some(Token::Const) => {
                    let name = format!("const {}", name_of(second).unwrap_or_default());
                    self.part(&name, own);
                    closures.steering(&name, own);
                }
                Some(Token::Import) => {
                    let alias = own.iter().rev().find_map(|token| name_of(Some(token)));
                    self.part(&format!("import {}", alias.unwrap_or_default()), own);
                }
                _ => {
                    self.bind(own);
                    closures.all(&label(own), own);
                    closures.steering(&label(own), own);
                }
            }
        }
        let mut captured = Vec::new();
        for (label, tokens) in &closures.users {
            self.part(&format!("closures of {label}"), tokens);
            captured.extend_from_slice(tokens);
        }
        for (name, text) in self.reached(captured) {
            self.texts.parts.entry(format!("let {name}{}", self.place)).or_default().push_str(&text);
        }
        let whole = |(label, tokens): (String, Vec<Token>)| {
            let captured: String = self.reached(tokens.clone()).into_values().collect();
            (format!("{label}{}", self.place), format!("{}{captured}", written(&tokens)))
        };
        let (asked, steering): (Vec<_>, Vec<_>) =
            (closures.rules.into_iter().map(whole).collect(), closures.steering.into_iter().map(whole).collect());
        self.texts.asked.extend(asked);
        self.texts.steering.extend(steering);
    }

    fn part(&mut self, name: &str, tokens: &[Token]) {
        self.texts.parts.entry(format!("{name}{}", self.place)).or_default().push_str(&written(tokens));
    }

    /// Notes what says the values of variables: `let`, `for`, and what is done with one that is known.
    fn bind(&mut self, tokens: &[Token]) {
        for (at, token) in tokens.iter().enumerate() {
            let rest = &tokens[at..];
            match token {
                Token::Let => {
                    let name = name_of(rest.get(1)).unwrap_or_default().to_owned();
                    self.bound.push((name, rest[..expression(rest)].to_vec()));
                }
                Token::For => {
                    let head: Vec<Token> =
                        rest.iter().take_while(|token| !matches!(token, Token::LeftBrace)).cloned().collect();
                    let names = head.iter().take_while(|token| !matches!(token, Token::In));
                    let names: Vec<String> =
                        names.filter_map(|token| name_of(Some(token))).map(str::to_owned).collect();
                    self.bound.extend(names.into_iter().map(|name| (name, head.clone())));
                }
                Token::Identifier(name) => {
                    let begins =
                        at == 0 || matches!(tokens[at - 1], Token::SemiColon | Token::LeftBrace | Token::RightBrace);
                    if begins && self.bound.iter().any(|(known, _)| known == name.as_str()) {
                        self.bound.push((name.to_string(), rest[..expression(rest)].to_vec()));
                    }
                }
                _ => {}
            }
        }
    }

    /// Everything that says the value of a variable that `tokens` mention, or that those mention in turn.
    fn reached(&self, tokens: Vec<Token>) -> BTreeMap<String, String> {
        let mut names = BTreeSet::new();
        let mut found: BTreeMap<String, String> = BTreeMap::new();
        let mut queue = tokens;
        while !queue.is_empty() {
            let fresh: Vec<String> = queue.iter().filter_map(|token| name_of(Some(token))).map(str::to_owned).collect();
            queue.clear();
            for name in fresh {
                if !names.insert(name.clone()) {
                    continue;
                }
                for (_, tokens) in self.bound.iter().filter(|(known, _)| *known == name) {
                    found.entry(name.clone()).or_default().push_str(&written(tokens));
                    queue.extend(tokens.iter().cloned());
                }
            }
        }
        found
    }
}

/// The closures of a file, by the statements that they stand in.
#[derive(Default)]
struct Closures {
    users: BTreeMap<String, Vec<Token>>,
    rules: BTreeMap<String, Vec<Token>>,
    /// All that is given to `adaptive`: it may be a name as well.
    steering: BTreeMap<String, Vec<Token>>,
}

impl Closures {
    /// Those that users run, and those that rules ask.
    fn all(&mut self, label: &str, tokens: &[Token]) {
        let mut calls: Vec<Asker> = Vec::new();
        let mut at = 0;
        while at < tokens.len() {
            let token = &tokens[at];
            let asker = calls.last().copied().unwrap_or(Asker::Users);
            if opens(token) {
                calls.push(match called(tokens, at) {
                    _ if asker != Asker::Users => asker,
                    Some("threshold" | "alert") => Asker::Rules,
                    Some("adaptive" | "curve") => Asker::Loads,
                    _ => asker,
                });
            } else if closes(token) {
                calls.pop();
            } else if begins_closure(tokens, at) {
                let body = match token {
                    Token::Or => at + 1,
                    _ => {
                        let pipe = tokens[at + 1..].iter().position(|token| matches!(token, Token::Pipe));
                        pipe.map_or(tokens.len(), |to| at + to + 2)
                    }
                };
                let end = body + expression(&tokens[body..]);
                let found = match asker {
                    Asker::Users => Some(&mut self.users),
                    Asker::Rules => Some(&mut self.rules),
                    Asker::Loads => None,
                };
                if let Some(found) = found {
                    found.entry(label.to_owned()).or_default().extend_from_slice(&tokens[at..end]);
                }
                at = end;
                continue;
            }
            at += 1;
        }
    }

    /// What is given to `adaptive`.
    fn steering(&mut self, label: &str, tokens: &[Token]) {
        for at in 0..tokens.len() {
            if called(tokens, at) == Some("adaptive") {
                let mut end = at + 1;
                while end < tokens.len() && !closes(&tokens[end]) {
                    end += expression(&tokens[end..]).max(1);
                }
                self.steering.entry(label.to_owned()).or_default().extend_from_slice(&tokens[at..end]);
            }
        }
    }
}

/// The function whose arguments begin with the token at `at`.
fn called(tokens: &[Token], at: usize) -> Option<&str> {
    matches!(tokens[at], Token::LeftParen).then(|| name_of(tokens.get(at.checked_sub(1)?))).flatten()
}

/// Whether `|` or `||` begins a closure here, and is no operator between two values.
fn begins_closure(tokens: &[Token], at: usize) -> bool {
    use Token::{
        CharConstant, False, FloatConstant, Identifier, IntegerConstant, Reserved, StringConstant, True, Unit,
    };
    let value = |token: &Token| {
        closes(token)
            || matches!(
                token,
                Identifier(_)
                    | IntegerConstant(_)
                    | FloatConstant(_)
                    | CharConstant(_)
                    | StringConstant(_)
                    | True
                    | False
                    | Unit
                    | Reserved(_)
            )
    };
    matches!(tokens[at], Token::Pipe | Token::Or) && !at.checked_sub(1).is_some_and(|before| value(&tokens[before]))
}

/// What people call a statement: `scenario browse`, `alert slow`, `options`, `let heavy`.
fn label(tokens: &[Token]) -> String {
    match tokens {
        [Token::Let, Token::Identifier(name), ..] => format!("let {name}"),
        [Token::Identifier(call), Token::LeftParen, Token::StringConstant(name), ..] => format!("{call} {name}"),
        [Token::Identifier(call), ..] => call.to_string(),
        [first, ..] => first.to_string(),
        [] => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use crate::plan::Code;
    use crate::script::compile::{compile, compile_text};
    use crate::script::overrides::Overrides;

    const SCRIPT: &str = r#"
        const PAGES = 3;
        let mean = 2;
        options(#{ base_url: "http://127.0.0.1:1", backoff: |n| 100.ms * n });
        threshold("http_req_duration", "p(95) < 300");
        scenario("browse", #{ users: curve(|t| 5, 10.s), run: browse, pacing: || 1.s * mean });
        scenario("buy", #{ users: 2, duration: 10.s, run: [[3, browse], [1, buy]] });
        // A page.
        fn browse(data) { let page = `/${global::PAGES + 1}/of/${"x"}`; page }
        fn buy() { browse(1) || true }
    "#;

    fn code(text: &str) -> Code {
        let compiled = compile_text("main.rhai", text.to_owned(), &Overrides::default());
        compiled.plan.unwrap_or_else(|| panic!("{:?}", compiled.diagnostics)).code
    }

    fn changed(from: &str, to: &str) -> Vec<String> {
        assert!(SCRIPT.contains(from), "{from}");
        let (old, new) = (code(SCRIPT), code(&SCRIPT.replacen(from, to, 1)));
        let names = old.parts.keys().chain(new.parts.keys()).cloned().collect::<std::collections::BTreeSet<_>>();
        let changed: Vec<String> =
            names.into_iter().filter(|name| old.parts.get(name) != new.parts.get(name)).collect();
        assert_eq!(old.hash == new.hash, changed.is_empty(), "the hash follows from the parts");
        changed
    }

    #[test]
    fn every_part_has_its_name() {
        let names: Vec<String> = code(SCRIPT).parts.into_keys().collect();
        assert_eq!(
            names,
            [
                "closures of options",
                "closures of scenario browse",
                "const PAGES",
                "fn browse",
                "fn buy",
                "functions of browse",
                "functions of buy",
                "let mean"
            ]
        );
    }

    #[test]
    fn places_comments_rules_and_loads_are_no_code() {
        for (from, to) in [
            ("// A page.", "// A page, moved.\n\n/* and more */"),
            ("{ let page", "{\n // here\n   let   page"),
            ("p(95) < 300", "p(95) < 200"),
            ("|t| 5", "|t| 6"),
            ("users: 2", "users: 20"),
            ("[3, browse]", "[7, browse]"),
            ("127.0.0.1:1", "127.0.0.1:2"),
            ("run: browse, pacing", "graceful_stop: 3.s, run: browse, pacing"),
        ] {
            assert_eq!(changed(from, to), [""; 0], "{from} → {to}");
        }
        let moved = SCRIPT.replacen("fn buy() { browse(1) || true }", "", 1);
        assert_eq!(code(&format!("fn buy() {{ browse(1) || true }}\n{moved}")), code(SCRIPT));
    }

    #[test]
    fn what_users_run_is_code_and_has_a_name() {
        for (from, to, names) in [
            ("/of/", "/off/", &["fn browse"][..]),
            ("global::PAGES + 1", "global::PAGES + 2", &["fn browse"]),
            ("`/${global::PAGES", "`//${global::PAGES", &["fn browse"]),
            ("fn browse(data)", "fn browse(other)", &["fn browse"]),
            ("PAGES = 3", "PAGES = 4", &["const PAGES"]),
            ("100.ms", "200.ms", &["closures of options"]),
            ("1.s * mean", "2.s * mean", &["closures of scenario browse"]),
            ("mean = 2", "mean = 3", &["let mean"]),
            ("[1, buy]]", "[1, buy], [1, browse]]", &["functions of buy"]),
            ("run: browse", "run: buy", &["functions of browse"]),
        ] {
            assert_eq!(changed(from, to), names, "{from} → {to}");
        }
    }

    #[test]
    fn closures_that_rules_and_loads_ask_are_apart() {
        let text = |steer: &str, limit: u32| {
            format!(
                "let start = {limit};\nscenario(\"a\", #{{ users: adaptive(|t, live| {steer}).during(9.s), max_users: 9, run: a }});\nfn a() {{ 1 }}"
            )
        };
        let (old, new) = (code(&text("start", 1)), code(&text("start + 1", 1)));
        assert_eq!((&old.hash, &old.parts), (&new.hash, &new.parts));
        assert_ne!(old.steering, new.steering);
        assert_ne!(old.steering, code(&text("start", 2)).steering, "a captured value steers as well");
    }

    #[test]
    fn imported_functions_are_code_too() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let main = folder.path().join("main.rhai");
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).expect("written");
        write("main.rhai", "import \"lib\" as lib;\nfn run() { lib::page() }");
        write("lib.rhai", "fn page() { 1 }");
        let code = || {
            let compiled = compile(&main, &Overrides::default());
            compiled.plan.unwrap_or_else(|| panic!("{:?}", compiled.diagnostics)).code
        };
        let old = code();
        write("lib.rhai", "// moved\nfn page() { 1 }");
        assert_eq!(old, code());
        write("lib.rhai", "fn page() { 2 }");
        let new = code();
        let name = format!("fn page in {}", folder.path().join("lib.rhai").display());
        assert_ne!(old.parts[&name], new.parts[&name]);
        assert_ne!(old.hash, new.hash);
        assert_eq!(old.parts["import lib"], new.parts["import lib"]);
    }
}
