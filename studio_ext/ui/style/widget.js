/* What the grid needs below a cell of a notebook. */
import './components.css';
import './wrangler.css';
