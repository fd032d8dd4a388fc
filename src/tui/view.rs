//! From a model to cells. Pure: the same model gives the same cells.

use super::{model::Model, theme::Theme};
use ratatui::{buffer::Buffer, layout::Position, style::Style};

/// Draws everything into the buffer, which has the size of the terminal; its area, not [`Model::size`], counts here.
/// Gives back where the cursor belongs while a text is typed; else it is hidden. The runtime draws after every burst
/// of messages and sends nothing where the cells and the cursor are as before.
#[must_use]
pub fn view(model: &Model, _theme: &Theme, buffer: &mut Buffer) -> Option<Position> {
    buffer.set_stringn(0, 0, &model.setup.host, usize::from(buffer.area.width), Style::default());
    None
}
