//! Scripts that do not parse, and how that is explained.

use super::explained;

#[test]
fn reserved_words() {
    insta::assert_snapshot!(explained("http::post(\"/\", #{ default: 1, case: 2 });"), @r#"1:20 7 `default` is a reserved word of Rhai | write it in quotes: `#{ "default": … }`"#);
    insta::assert_snapshot!(explained("let m = #{}; m.default = 1;"), @r#"1:16 7 `default` is a reserved word of Rhai | write `["default"]` instead of `.default`"#);
    insta::assert_snapshot!(explained("let m = #{}; print(m.x.new);"), @r#"1:24 3 `new` is a reserved word of Rhai | write `["new"]` instead of `.new`"#);
    insta::assert_snapshot!(explained("var x = 1;"), @"1:1 3 `var` is a reserved word of Rhai | write `let`");
    insta::assert_snapshot!(explained("async fn foo() { 1 }"), @"1:1 5 `async` is a reserved word of Rhai | requests wait by themselves: leave it away");
    insta::assert_snapshot!(explained("let r = await http::get(\"/\");"), @"1:9 5 `await` is a reserved word of Rhai | requests wait by themselves: leave it away");
    insta::assert_snapshot!(explained("fn print() { 1 }"), @"1:4 5 `print` is a reserved word of Rhai | a function needs another name");
    insta::assert_snapshot!(explained("fn goto(a) { 1 }"), @"1:4 4 `goto` is a reserved word of Rhai | a function needs another name");
    insta::assert_snapshot!(explained("let x = null;"), @"1:9 4 `null` is a reserved word of Rhai | write `()`");
    insta::assert_snapshot!(explained("let let = 1;"), @"1:5 3 a name is expected, not `let` | `let` is a word of the language; choose another name");
    insta::assert_snapshot!(explained("let match = 1;"), @"1:5 5 `match` is a reserved word of Rhai | choose another name");
    insta::assert_snapshot!(explained("print \"hello\";"), @"1:1 5 `print` is a reserved word of Rhai | a call needs parentheses: `print(…)`");
    insta::assert_snapshot!(explained("case 1;"), @"1:1 4 `case` is a reserved word of Rhai | a `switch` is written `switch value { 1 => …, _ => … }`");
}

#[test]
fn something_is_missing() {
    insta::assert_snapshot!(explained("let x = 1\nlet y = 2;"), @"1:10 1 `;` is missing to terminate this statement | here");
    insta::assert_snapshot!(explained("fn f() { if x { 1 }"), @"1:20 1 `}` is missing to terminate this block | the file ends here");
    insta::assert_snapshot!(explained("fn f() {\n    let y = [1, 2;\n}"), @"2:18 1 `,` is missing to separate the items of this array literal | or `]` to close the array");
    insta::assert_snapshot!(explained("check(r.status = 200);"), @"1:16 1 `,` is missing to separate the arguments to function call `check` | `=` assigns; to compare, write `==`");
    insta::assert_snapshot!(explained("let s = `abc ${x;\nlet z = 1;"), @"2:11 1 `}` is missing to terminate this block | the file ends here");
    insta::assert_snapshot!(explained("function foo() { 1 }"), @"1:10 3 `;` is missing to terminate this statement | write `fn`");
    insta::assert_snapshot!(explained("let x = #{ a = 1 };"), @"1:14 1 `:` is missing to follow the property `a` in this object map literal | a map is written `#{ key: value }`");
    insta::assert_snapshot!(explained("let x = { a: 1 };"), @"1:12 1 `;` is missing to terminate this statement | a map is written `#{ key: value }`");
    insta::assert_snapshot!(explained("for x of [1] {}"), @"1:7 2 `in` is missing after the iteration variable | a loop is written `for item in list { … }`");
    insta::assert_snapshot!(explained("for i = 0; i < 3 {}"), @"1:7 1 `in` is missing after the iteration variable | `=` assigns; to compare, write `==`");
    insta::assert_snapshot!(explained("while x do {}"), @"1:9 2 `{` is missing to start a statement block");
    insta::assert_snapshot!(explained("if x == 1 print(x);"), @"1:11 5 `{` is missing to start a statement block");
    insta::assert_snapshot!(explained("switch x { 1 => 2 3 => 4 }"), @"1:19 1 `,` is missing to separate the items in this switch block | before this");
    insta::assert_snapshot!(explained("fn f { 1 }"), @"1:6 1 the parameters of `f` are missing | write `fn f() { … }`");
    insta::assert_snapshot!(explained("fn f() 1"), @"1:8 1 the body of `f` is missing | write `fn f(…) { … }`");
    insta::assert_snapshot!(explained("scenario(\"a\", #{ run: browse, users: 3 );"), @"1:40 1 `}` is missing to end this object map literal | before this");
    insta::assert_snapshot!(explained("scenario(\"a\", #{ run: browse users: 3 });"), @"1:30 5 `,` is missing to separate the items of this object map literal | before this");
    insta::assert_snapshot!(explained("scenario(\"a\" #{ run: browse });"), @"1:14 2 `,` is missing to separate the arguments to function call `scenario` | before this");
    insta::assert_snapshot!(explained("let f = |a, b { a + b };"), @"1:15 1 `,` is missing to separate the parameters of anonymous function | before this");
    insta::assert_snapshot!(explained("let x = (1 + 2;"), @"1:15 1 `)` is missing for a matching ( in this expression | before this");
    insta::assert_snapshot!(explained("let x = [1, 2, 3;"), @"1:17 1 `,` is missing to separate the items of this array literal | or `]` to close the array");
    insta::assert_snapshot!(explained("x = 5 let y = 1;"), @"1:7 3 `;` is missing to terminate this statement | before this");
    insta::assert_snapshot!(explained("lte x = 1;"), @"1:5 1 `;` is missing to terminate this statement | did you mean `let`?");
    insta::assert_snapshot!(explained("retrun 5;"), @"1:8 1 `;` is missing to terminate this statement | did you mean `return`?");
    insta::assert_snapshot!(explained("try { 1 }"), @"1:10 1 `catch` is missing for the `try` statement");
    insta::assert_snapshot!(explained("return 1 2;"), @"1:10 1 `;` is missing to terminate this statement | before this");
    insta::assert_snapshot!(explained("fn f() { }\nfn g( { }"), @"2:7 1 `)` is missing to close the parameters list of function `g` | before this");
    insta::assert_snapshot!(explained("(a + b)::c(1);"), @"1:8 2 `;` is missing to terminate this statement | only a module's name stands before `::`");
    insta::assert_snapshot!(explained("let m = #{ \"a\" 1 };"), @"1:16 1 `:` is missing to follow the property `a` in this object map literal | a map is written `#{ key: value }`");
    insta::assert_snapshot!(explained("let m = #{ 1: 2 };"), @r#"1:12 1 `}` is missing to end this object map literal | a key is a name or a text in double quotes: `#{ "1": … }`"#);
    insta::assert_snapshot!(explained("let x: i64 = 1;"), @"1:6 1 `;` is missing to terminate this statement | Rhai has no type annotations");
    insta::assert_snapshot!(explained("fn f(x: int) { 1 }"), @"1:7 1 `,` is missing to separate the parameters of function `f` | Rhai has no type annotations");
    insta::assert_snapshot!(explained("fn f() -> int { 1 }"), @"1:8 2 the body of `f` is missing | write `fn f(…) { … }`");
    insta::assert_snapshot!(explained("not x;"), @"1:5 1 `;` is missing to terminate this statement | write `!`");
    insta::assert_snapshot!(explained("let a = x and y;"), @"1:11 3 `;` is missing to terminate this statement | write `&&`");
    insta::assert_snapshot!(explained("let a = x or y;"), @"1:11 2 `;` is missing to terminate this statement | write `||`");
    insta::assert_snapshot!(explained("if not x { }"), @"1:8 1 `{` is missing to start a statement block | write `!`");
    insta::assert_snapshot!(explained("elif x { }"), @"1:6 1 `;` is missing to terminate this statement | write `else if`");
    insta::assert_snapshot!(explained("if x { } elif y { }"), @"1:15 1 `;` is missing to terminate this statement | write `else if`");
}

#[test]
fn something_is_wrong() {
    insta::assert_snapshot!(explained("if x = 1 { }"), @"1:6 1 this cannot be assigned to | `=` assigns; to compare, write `==`");
    insta::assert_snapshot!(explained("if x.y = 1 { }"), @"1:8 1 this cannot be assigned to | `=` assigns; to compare, write `==`");
    insta::assert_snapshot!(explained("let s = \"abc;\nlet z = 1;"), @r#"1:9 1 this text has no end | a text in `"` ends on its line; one that goes on is written in backticks"#);
    insta::assert_snapshot!(explained("x === 1;"), @"1:3 3 Rhai has no `===` | write `==`");
    insta::assert_snapshot!(explained("i++;"), @"1:2 2 Rhai has no `++` | write `+= 1`");
    insta::assert_snapshot!(explained("fn f() { fn g() { 1 } }"), @"1:10 2 a function cannot be defined inside a block or another function | move it to the top level, or write a closure: `let f = |x| …;`");
    insta::assert_snapshot!(explained("fn f(a) { 1 } fn f(b) { 2 }"), @"1:15 2 the function `f` with 1 parameter is defined twice | rename or remove one");
    insta::assert_snapshot!(explained("fn f(a, a) { 1 }"), @"1:9 1 the parameter `a` of `f` stands twice");
    insta::assert_snapshot!(explained("this.x = 1;"), @"1:1 4 there is no `this` outside of functions | `this` is the state of one user");
    insta::assert_snapshot!(explained("break;"), @"1:1 5 `break` outside of a loop | leave a function with `return`");
    insta::assert_snapshot!(explained("let x = #{ a: 1, a: 2 };"), @"1:18 1 the key `a` stands twice in this map | remove one");
    insta::assert_snapshot!(explained("let x = a ? b : c;"), @"1:11 1 Rhai has no `?` | write `if a { b } else { c }`");
    insta::assert_snapshot!(explained("const X = 1; X = 2;"), @"1:14 1 `X` is a constant and cannot be assigned | declare it with `let` to change it");
    insta::assert_snapshot!(explained("1 = 2;"), @"1:1 1 a constant value cannot be assigned to | `=` assigns; to compare, write `==`");
    insta::assert_snapshot!(explained("f() = 2;"), @"1:1 1 this cannot be assigned to | `=` assigns; to compare, write `==`");
    insta::assert_snapshot!(explained("a == b && c = 3;"), @"1:13 1 this cannot be assigned to | `=` assigns; to compare, write `==`");
    insta::assert_snapshot!(explained("let x = 'abc';"), @"1:9 1 `'abc'` is not one character | texts stand in double quotes or backticks");
    insta::assert_snapshot!(explained("let x = \"a\\qb\";"), @r#"1:12 2 `\q` is no escape sequence | a backslash is written `\\`; in backticks it stands for itself"#);
    insta::assert_snapshot!(explained("let x = 1.2.3.4.5a;"), @r#"1:13 1 a name cannot begin with a digit | a key of digits is written in quotes: `#{ "1": … }`, `map["1"]`"#);
    insta::assert_snapshot!(explained("let x = 0xZZ;"), @"1:9 4 `0xZZ` is no number");
    insta::assert_snapshot!(explained("switch x { _ => 1, 2 => 3 }"), @"1:12 1 `_` must be the last case of a `switch`");
    insta::assert_snapshot!(explained("switch x { y => 1 }"), @"1:12 1 a `switch` case must be a literal or a range of integers | compare with `if` instead");
    insta::assert_snapshot!(explained("fn (a) { 1 }"), @"1:4 1 a function needs a name here | a closure is written `|a, b| a + b`");
    insta::assert_snapshot!(explained("} let x = 1;"), @"1:1 1 `}` is not expected here | there is no open bracket of this kind, or something before it is unfinished");
    insta::assert_snapshot!(explained("/// doc\nlet x = 1;"), @"1:1 1 a `///` comment must stand directly before a function | write `//`");
    insta::assert_snapshot!(explained("export fn f() {}"), @"1:8 2 a name is expected, not `fn` | functions are public by themselves: leave `export` away");
    insta::assert_snapshot!(explained("let x = $y;"), @"1:9 1 Rhai has no `$` | `${…}` works in texts in backticks only");
    insta::assert_snapshot!(explained("let x = a -> b;"), @"1:11 2 Rhai has no `->` | functions declare no result type");
    insta::assert_snapshot!(explained("let x := 1;"), @"1:7 2 Rhai has no `:=` | write `let name = value`");
    insta::assert_snapshot!(explained("# comment\nlet x = 1;"), @"1:1 1 Rhai has no `#` | comments begin with `//`, maps with `#{`");
    insta::assert_snapshot!(explained("let ünï = 1; let y = \"äöü\" + #{ é: 1 };"), @"1:5 3 `ü` is not expected here | names are made of the letters a to z, digits and `_`; other text stands in quotes");
    insta::assert_snapshot!(explained("let x = 5;;; let y = m.fn;"), @r#"1:24 2 a property cannot be named `fn` | write `["fn"]` instead of `.fn`"#);
    insta::assert_snapshot!(explained("if x { 1 } else if { 2 }"), @"1:20 1 a boolean is expected here");
    insta::assert_snapshot!(explained("a.b::c(1);"), @"1:4 2 `::` is not expected here");
    insta::assert_snapshot!(explained("m.1x;"), @r#"1:3 2 a name cannot begin with a digit | a key of digits is written in quotes: `#{ "1": … }`, `map["1"]`"#);
    insta::assert_snapshot!(explained("let m = #{ a: };"), @"1:15 1 `}` is not expected here | there is no open bracket of this kind, or something before it is unfinished");
    insta::assert_snapshot!(explained("export { x };"), @"1:8 1 a name is expected, not `{`");
    insta::assert_snapshot!(explained("fn f() { export let x = 1; }"), @"1:10 6 `export` can only stand at the top level");
    insta::assert_snapshot!(explained("let s = 'it''s';"), @"1:9 1 `'it's'` is not one character | texts stand in double quotes or backticks");
    insta::assert_snapshot!(explained("switch x { 1 => y, 2..5 => { z }, _ if q => 1, _ => w }"), @"1:37 2 this `switch` case cannot have a condition");
}
