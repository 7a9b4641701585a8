//! nginx's configuration syntax: words, `;`, `{ }`, comments, quotes.

/// A directive with its arguments and, where it has one, its block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Directive {
    pub name: String,
    pub arguments: Vec<String>,
    pub block: Option<Vec<Directive>>,
}

/// Blocks within blocks; nginx's own configurations use about five.
const MAX_DEPTH: usize = 32;

/// What is wrong with a configuration, with its line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SyntaxFault {
    pub line: usize,
    pub fault: &'static str,
}

#[derive(Debug, PartialEq, Eq)]
enum Token {
    Word(String),
    End,
    Open,
    Close,
}

/// Reads the directives of one file.
pub(super) fn parse(text: &str) -> Result<Vec<Directive>, SyntaxFault> {
    let mut reader = Reader { rest: text, line: 1 };
    reader.directives(0)
}

struct Reader<'a> {
    rest: &'a str,
    line: usize,
}

impl Reader<'_> {
    fn fault<T>(&self, fault: &'static str) -> Result<T, SyntaxFault> {
        Err(SyntaxFault { line: self.line, fault })
    }

    fn take(&mut self) -> Option<char> {
        let next = self.rest.chars().next()?;
        self.rest = self.rest.get(next.len_utf8()..).unwrap_or_default();
        if next == '\n' {
            self.line += 1;
        }
        Some(next)
    }

    fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    fn directives(&mut self, depth: usize) -> Result<Vec<Directive>, SyntaxFault> {
        if depth > MAX_DEPTH {
            return self.fault("the blocks are nested too deeply");
        }
        let mut found = Vec::new();
        let mut words: Vec<String> = Vec::new();
        loop {
            match self.token()? {
                Some(Token::Word(word)) => words.push(word),
                Some(Token::End) => match take_directive(&mut words, None) {
                    Some(directive) => found.push(directive),
                    None => return self.fault("a ; without a directive"),
                },
                Some(Token::Open) => {
                    let block = self.block(&words, depth)?;
                    match take_directive(&mut words, Some(block)) {
                        Some(directive) => found.push(directive),
                        None => return self.fault("a { without a directive"),
                    }
                }
                Some(Token::Close) if depth > 0 && words.is_empty() => return Ok(found),
                Some(Token::Close) => return self.fault("a } that closes nothing, or a missing ;"),
                None if depth == 0 && words.is_empty() => return Ok(found),
                None => return self.fault("the file ends within a directive or a block"),
            }
        }
    }

    /// The block of the directive `words`. A block of Lua code is skipped: it is not nginx syntax.
    fn block(&mut self, words: &[String], depth: usize) -> Result<Vec<Directive>, SyntaxFault> {
        if words.first().is_some_and(|name| name.ends_with("_by_lua_block")) {
            let mut open = 1_usize;
            while open > 0 {
                match self.take() {
                    Some('{') => open += 1,
                    Some('}') => open -= 1,
                    Some(_) => {}
                    None => return self.fault("the file ends within a Lua block"),
                }
            }
            return Ok(Vec::new());
        }
        self.directives(depth + 1)
    }

    fn token(&mut self) -> Result<Option<Token>, SyntaxFault> {
        loop {
            match self.peek() {
                None => return Ok(None),
                Some(space) if space.is_whitespace() => {
                    self.take();
                }
                Some('#') => {
                    while self.peek().is_some_and(|next| next != '\n') {
                        self.take();
                    }
                }
                Some(';') => return Ok(self.take().map(|_| Token::End)),
                Some('{') => return Ok(self.take().map(|_| Token::Open)),
                Some('}') => return Ok(self.take().map(|_| Token::Close)),
                Some(quote @ ('"' | '\'')) => return self.quoted(quote).map(Some),
                Some(_) => return self.word().map(Some),
            }
        }
    }

    fn quoted(&mut self, quote: char) -> Result<Token, SyntaxFault> {
        self.take();
        let mut word = String::new();
        loop {
            match self.take() {
                Some('\\') => self.escaped(&mut word),
                Some(end) if end == quote => return Ok(Token::Word(word)),
                Some(other) => word.push(other),
                None => return self.fault("the file ends within quotes"),
            }
        }
    }

    fn word(&mut self) -> Result<Token, SyntaxFault> {
        let mut word = String::new();
        while let Some(next) = self.peek() {
            // `${name}` is a variable, not a block.
            let variable = next == '{' && word.ends_with('$');
            if !variable && (next.is_whitespace() || matches!(next, ';' | '{')) {
                break;
            }
            self.take();
            if next == '\\' {
                self.escaped(&mut word);
            } else {
                word.push(next);
            }
            if variable {
                self.rest_of_variable(&mut word)?;
            }
        }
        Ok(Token::Word(word))
    }

    fn rest_of_variable(&mut self, word: &mut String) -> Result<(), SyntaxFault> {
        loop {
            match self.take() {
                Some(next) => word.push(next),
                None => return self.fault("the file ends within ${…}"),
            }
            if word.ends_with('}') {
                return Ok(());
            }
        }
    }

    /// What follows a backslash: quotes, blanks and the backslash stand for themselves, `t`, `r`
    /// and `n` for control characters, and before anything else the backslash is kept (regular
    /// expressions need it).
    fn escaped(&mut self, word: &mut String) {
        match self.take() {
            Some(plain @ ('"' | '\'' | '\\' | ' ' | ';' | '{' | '}')) => word.push(plain),
            Some('t') => word.push('\t'),
            Some('r') => word.push('\r'),
            Some('n') => word.push('\n'),
            Some(other) => word.extend(['\\', other]),
            None => word.push('\\'),
        }
    }
}

fn take_directive(words: &mut Vec<String>, block: Option<Vec<Directive>>) -> Option<Directive> {
    let mut words = std::mem::take(words).into_iter();
    let name = words.next()?;
    Some(Directive { name, arguments: words.collect(), block })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(name: &str, arguments: &[&str]) -> Directive {
        let arguments = arguments.iter().map(|&argument| argument.to_owned()).collect();
        Directive { name: name.to_owned(), arguments, block: None }
    }

    #[test]
    fn reads_words_quotes_comments_and_variables() {
        let read = parse(
            "user www; # comment ; { \n\
             log_format a '$remote \"x\"' \"it\\'s\";\n\
             root /srv/${host}/x;server_name ~^(?<a>w\\d+)\\.;",
        )
        .unwrap();
        assert_eq!(
            read,
            [
                plain("user", &["www"]),
                plain("log_format", &["a", "$remote \"x\"", "it's"]),
                plain("root", &["/srv/${host}/x"]),
                plain("server_name", &["~^(?<a>w\\d+)\\."]),
            ]
        );
    }

    #[test]
    fn skips_lua() {
        let read = parse("content_by_lua_block { if a then b = { 1; } end } listen 80;").unwrap();
        assert_eq!(read.len(), 2);
        assert_eq!(read[1], plain("listen", &["80"]));
    }

    #[test]
    fn says_where_the_fault_is() {
        for (text, line) in [("a b;\nserver {\n", 3), ("a;\n}", 2), ("a 'b", 1), ("a", 1), (";", 1)]
        {
            assert_eq!(parse(text).unwrap_err().line, line, "{text:?}");
        }
        assert!(parse(&"a {".repeat(100)).is_err());
    }
}
