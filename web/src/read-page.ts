import "./page.css";
import "./read/trivet-reader";
