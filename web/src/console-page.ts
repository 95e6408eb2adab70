import "./page.css";
import "./console/trivet-console";
