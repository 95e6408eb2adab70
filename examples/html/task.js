import { TaskFollower } from "./task-follower.js";
import { settings } from "./visitor.js";

const { base, given } = settings();
const form = document.querySelector("form");
const progress = document.querySelector("progress");
const state = document.querySelector("[role=status]");
const text = document.querySelector("pre");
const problem = document.querySelector("[role=alert]");
let follower = null;

/** The text of one attempt at one step; where another begins, it begins from the start. */
let writing = "";

function show(task) {
  progress.value = task.progress;
  state.textContent = [task.status, task.current_step].filter(Boolean).join(": ");
  if (task.event !== "token") return;
  const attempt = `${task.step} ${task.attempt}`;
  if (attempt !== writing) text.textContent = "";
  writing = attempt;
  text.append(task.text);
}

function end(task) {
  if (!task) problem.textContent = "The server cannot be reached.";
  else if (task.status !== "completed") problem.textContent = task.error?.message ?? task.message;
  else text.textContent = task.result.translated_text ?? JSON.stringify(task.result, null, 2);
}

function follow(taskId) {
  follower?.stop();
  text.textContent = problem.textContent = "";
  follower = new TaskFollower(base, taskId, Number(given.get("first_pause_ms") ?? 1000));
  follower.addEventListener("update", ({ detail }) => show(detail));
  follower.addEventListener("pause", ({ detail }) => (state.textContent = `again in ${detail / 1000} s`));
  follower.addEventListener("end", ({ detail }) => end(detail));
  follower.follow();
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  follow(form.task.value.trim());
});

if (given.has("task")) follow((form.task.value = given.get("task")));
