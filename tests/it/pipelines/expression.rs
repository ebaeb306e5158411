//! The part of GitHub's expressions that action.yml uses, evaluated as its documentation says ("Evaluate expressions in
//! workflows and actions", read 2026-11): contexts, literals, `==`, `!=`, `!`, `&&`, `||`, brackets and `cancelled()`.
//! Anything else is refused, so that a test can't pass by misreading.

use serde_json::Value;

/// Looks up `a.b.c`; what isn't there is null.
pub(super) trait Contexts {
    fn get(&self, name: &str) -> Value;
}

/// `text` with each `${{ … }}` replaced by its value.
pub(super) fn fill(text: &str, contexts: &dyn Contexts) -> String {
    let mut filled = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${{") {
        let (inner, after) = after.split_once("}}").expect("every expression ends");
        filled.push_str(before);
        filled.push_str(&written(&evaluate(inner, contexts)));
        rest = after;
    }
    filled + rest
}

/// The value of an expression without its `${{` and `}}`.
pub(super) fn evaluate(text: &str, contexts: &dyn Contexts) -> Value {
    let mut parser = Parser { rest: text.trim(), contexts };
    let value = parser.or();
    assert!(parser.rest.is_empty(), "not understood: `{}` of `{text}`", parser.rest);
    value
}

/// Whether a condition holds. One that asks nothing of the steps before asks that none failed.
pub(super) fn holds(condition: Option<&str>, failed: bool, contexts: &dyn Contexts) -> bool {
    let Some(condition) = condition else { return !failed };
    let inner = condition.trim();
    let inner = inner.strip_prefix("${{").and_then(|inner| inner.strip_suffix("}}")).unwrap_or(inner);
    let says_itself = ["cancelled()", "always()", "failure()", "success()"].iter().any(|word| inner.contains(word));
    (says_itself || !failed) && truth(&evaluate(inner, contexts))
}

/// A value as text.
fn written(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Whether a value counts as true.
fn truth(value: &Value) -> bool {
    !matches!(value, Value::Null | Value::Bool(false)) && value != "" && value != 0
}

/// Whether two values are equal: texts without regard to case, values of different kinds as numbers.
fn equal(left: &Value, right: &Value) -> bool {
    let number = |value: &Value| match value {
        Value::Null => 0.0,
        Value::Bool(yes) => f64::from(u8::from(*yes)),
        Value::String(text) if text.is_empty() => 0.0,
        Value::String(text) => text.parse().unwrap_or(f64::NAN),
        other => other.as_f64().unwrap_or(f64::NAN),
    };
    match (left, right) {
        (Value::String(left), Value::String(right)) => left.eq_ignore_ascii_case(right),
        (left, right) => number(left) == number(right),
    }
}

/// What is left of an expression.
struct Parser<'a> {
    rest: &'a str,
    contexts: &'a dyn Contexts,
}

impl Parser<'_> {
    /// Takes `token` and the blanks after it, if it comes next.
    fn takes(&mut self, token: &str) -> bool {
        let Some(rest) = self.rest.strip_prefix(token) else { return false };
        self.rest = rest.trim_start();
        true
    }

    fn or(&mut self) -> Value {
        let mut value = self.and();
        while self.takes("||") {
            let right = self.and();
            value = if truth(&value) { value } else { right };
        }
        value
    }

    fn and(&mut self) -> Value {
        let mut value = self.comparison();
        while self.takes("&&") {
            let right = self.comparison();
            value = if truth(&value) { right } else { value };
        }
        value
    }

    fn comparison(&mut self) -> Value {
        let left = self.unary();
        if self.takes("==") {
            return equal(&left, &self.unary()).into();
        }
        if self.takes("!=") {
            return (!equal(&left, &self.unary())).into();
        }
        left
    }

    fn unary(&mut self) -> Value {
        if self.takes("!") {
            return (!truth(&self.unary())).into();
        }
        if self.takes("(") {
            let value = self.or();
            assert!(self.takes(")"), "no closing bracket before `{}`", self.rest);
            return value;
        }
        if let Some(rest) = self.rest.strip_prefix('\'') {
            let (text, rest) = rest.split_once('\'').expect("every text ends");
            self.rest = rest.trim_start();
            return text.into();
        }
        let end = self.rest.find(|c: char| !(c.is_ascii_alphanumeric() || "._-".contains(c)));
        let (name, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        self.rest = rest.trim_start();
        match name {
            "true" => true.into(),
            "false" => false.into(),
            "null" => Value::Null,
            // A simulated job is never cancelled.
            "cancelled" if self.takes("(") && self.takes(")") => false.into(),
            _ if name.contains('.') => self.contexts.get(name),
            _ => panic!("not understood: `{name}` before `{}`", self.rest),
        }
    }
}

/// Contexts for the test below.
struct Some3;

impl Contexts for Some3 {
    fn get(&self, name: &str) -> Value {
        match name {
            "inputs.a" => "x".into(),
            "github.event.fork" => true.into(),
            _ => Value::Null,
        }
    }
}

#[test]
fn expressions_mean_what_github_says() {
    let cases = [
        ("inputs.a == 'X'", true),
        ("inputs.b != ''", false),
        ("inputs.b == ''", true),
        ("github.event.fork != true", false),
        ("github.event.no.fork != true", true),
        ("!cancelled() && inputs.a != ''", true),
        ("inputs.a == 'y' || (inputs.a == 'x' && !false)", true),
    ];
    for (text, expected) in cases {
        assert_eq!(truth(&evaluate(text, &Some3)), expected, "{text}");
    }
    assert_eq!(fill("<${{ inputs.a }}-${{ inputs.b }}>", &Some3), "<x->");
    assert!(!holds(Some("${{ inputs.a == 'x' }}"), true, &Some3));
    assert!(holds(Some("${{ !cancelled() && inputs.a == 'x' }}"), true, &Some3));
}
