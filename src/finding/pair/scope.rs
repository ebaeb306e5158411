//! Blocks of a text: braces, brackets, indented blocks, sections, elements. What stands in two blocks of which none
//! holds the other belongs to two things.

/// Most blocks inside each other that are told apart; deeper ones count as the last.
const DEEPEST: usize = 100;

/// A block, by its number.
pub(super) type Block = usize;

/// What opened a block.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Opened {
    /// The text, a document or a section of it.
    Top,
    /// A brace, bracket or parenthesis; the one that closes it.
    Brace(u8),
    /// A line that is indented this far, in columns.
    Indent(usize),
    /// An element of this name.
    Element(Vec<u8>),
}

/// The blocks of a text that is read from its start, and those that are open.
#[derive(Debug)]
pub(super) struct Blocks {
    /// The block that each is in.
    parents: Vec<Option<Block>>,
    /// The open ones, outermost first. Never empty.
    open: Vec<(Opened, Block)>,
}

impl Blocks {
    /// One block: the text.
    pub(super) fn new() -> Self {
        Self { parents: vec![None], open: vec![(Opened::Top, 0)] }
    }

    /// The innermost open block.
    pub(super) fn now(&self) -> Block {
        self.open.last().expect("never empty").1
    }

    /// The block that holds `block`; itself for the outermost.
    pub(super) fn around(&self, block: Block) -> Block {
        self.parents[block].unwrap_or(block)
    }

    /// How many blocks lie between `inner` and `outer`, which holds it; `None` when it doesn't. 0: they are one.
    pub(super) fn depth(&self, outer: Block, inner: Block) -> Option<usize> {
        let ways = std::iter::successors(Some(inner), |&block| self.parents[block]);
        ways.take(2 * DEEPEST).position(|block| block == outer)
    }

    fn push(&mut self, opened: Opened) {
        if self.open.len() < DEEPEST {
            let parent = self.now();
            self.parents.push(Some(parent));
            self.open.push((opened, self.parents.len() - 1));
        }
    }

    /// All that was open is closed, and nothing that comes is in it: a new document.
    pub(super) fn document(&mut self) {
        self.parents.push(None);
        self.open = vec![(Opened::Top, self.parents.len() - 1)];
    }

    /// A section of the outermost block begins; the one before ends.
    pub(super) fn section(&mut self) {
        self.open.truncate(1);
        self.push(Opened::Top);
    }

    /// Whether an open brace is around.
    pub(super) fn in_braces(&self) -> bool {
        self.open.iter().any(|(opened, _)| matches!(opened, Opened::Brace(_)))
    }

    /// A brace, bracket or parenthesis opens; `closer` will close it.
    pub(super) fn brace(&mut self, closer: u8) {
        self.push(Opened::Brace(closer));
    }

    /// `closer` closes what it belongs to. Where nothing of its kind is open, all before it was inside of it.
    pub(super) fn close(&mut self, closer: u8) {
        self.close_as(&Opened::Brace(closer));
    }

    /// An element opens.
    pub(super) fn element(&mut self, name: &[u8]) {
        self.push(Opened::Element(name[..name.len().min(40)].to_vec()));
    }

    /// An element ends.
    pub(super) fn close_element(&mut self, name: &[u8]) {
        self.close_as(&Opened::Element(name[..name.len().min(40)].to_vec()));
    }

    fn close_as(&mut self, what: &Opened) {
        if let Some(at) = self.open.iter().rposition(|(opened, _)| opened == what) {
            self.open.truncate(at);
        } else if let [(_, outermost)] = self.open[..] {
            // The window began inside of it.
            self.parents.push(None);
            let top = self.parents.len() - 1;
            self.parents[outermost] = Some(top);
            self.open = vec![(Opened::Top, top)];
        }
    }

    /// A line begins, indented by `columns`; `item`: with the dash of a list, behind which its content begins at the
    /// column given.
    pub(super) fn line(&mut self, columns: usize, item: Option<usize>) {
        let deeper = |opened: &Opened, than: usize| matches!(opened, Opened::Indent(at) if *at > than);
        while self.open.len() > 1 && deeper(&self.open[self.open.len() - 1].0, columns) {
            self.open.pop();
        }
        let top = &self.open[self.open.len() - 1].0;
        // The first line of a text or of braces sets no block of its own at column 0.
        let is_there = matches!(top, Opened::Indent(at) if *at == columns) || columns == 0;
        if !is_there {
            self.push(Opened::Indent(columns));
        }
        if let Some(content) = item {
            self.push(Opened::Indent(content));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn braces_hold_what_is_in_them() {
        let mut blocks = Blocks::new();
        let text = blocks.now();
        blocks.brace(b'}');
        let one = blocks.now();
        blocks.brace(b']');
        let inner = blocks.now();
        blocks.close(b'}');
        blocks.brace(b'}');
        let two = blocks.now();
        assert_eq!(blocks.depth(text, inner), Some(2));
        assert_eq!(blocks.depth(one, inner), Some(1));
        assert_eq!((blocks.depth(inner, one), blocks.depth(one, two), blocks.depth(two, one)), (None, None, None));
        assert_eq!(blocks.around(inner), one);
    }

    #[test]
    fn a_window_may_begin_inside() {
        let mut blocks = Blocks::new();
        let inside = blocks.now();
        blocks.close(b'}');
        let outside = blocks.now();
        blocks.brace(b'}');
        let next = blocks.now();
        assert_eq!(blocks.depth(outside, inside), Some(1));
        assert_eq!((blocks.depth(inside, next), blocks.depth(next, inside)), (None, None));
    }

    #[test]
    fn indented_lines_are_blocks() {
        let mut blocks = Blocks::new();
        let mut at = |columns: usize, item: Option<usize>| {
            blocks.line(columns, item);
            blocks.now()
        };
        let (a, b, c) = (at(0, None), at(2, None), at(2, None));
        let (d, e) = (at(0, None), at(2, None));
        let (f, g, h) = (at(2, Some(4)), at(4, None), at(2, Some(4)));
        assert_eq!((a, b), (d, c));
        assert!(b != e && f == g && g != h);
        assert_eq!(blocks.depth(e, h), Some(1));
    }

    #[test]
    fn depth_is_bounded() {
        let mut blocks = Blocks::new();
        for _ in 0..10_000 {
            blocks.brace(b')');
            blocks.element(b"a");
        }
        assert!(blocks.open.len() <= DEEPEST && blocks.parents.len() <= DEEPEST);
        for _ in 0..10_000 {
            blocks.close(b']');
            blocks.close(b')');
        }
        assert!(blocks.parents.len() < 30_000);
    }
}
