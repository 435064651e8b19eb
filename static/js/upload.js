// Makes the upload form live: a file can be dropped on it, and its way to the server is shown. Without this it is a plain form.
"use strict";

function prepare(form) {
  const input = form.querySelector("input[type=file]");
  const button = form.querySelector("button[type=submit]");
  const refusal = form.querySelector("[data-refusal]");
  const panel = form.querySelector("[data-progress]");
  const bar = panel.querySelector("progress");
  form.querySelector(".drop-zone__drag").hidden = false;
  // Choosing is enough: the file is sent at once. Our own words replace the browser's, which speak its language.
  button.hidden = true;
  input.classList.add("visually-hidden");
  form.querySelector(".drop-zone__choose").hidden = false;

  function refuse(sentence) {
    refusal.textContent = sentence;
    refusal.hidden = false;
    input.setAttribute("aria-describedby", "upload-rules upload-refusal");
    panel.hidden = true;
    input.disabled = false;
    input.value = "";
    input.focus();
  }

  function megabytes(bytes) {
    return (bytes / 1e6).toFixed(bytes < 1e8 ? 1 : 0) + "\u202fMB";
  }

  function send(file) {
    refusal.hidden = true;
    if (file.size > Number(form.dataset.limit)) {
      refuse(form.dataset.tooLarge);
      return;
    }
    const body = new FormData();
    body.append("file", file);
    const request = new XMLHttpRequest();
    const begun = performance.now();
    panel.hidden = false;
    input.disabled = true;
    panel.querySelector("[data-name]").textContent = file.name;
    request.upload.addEventListener("progress", (event) => {
      const seconds = (performance.now() - begun) / 1000;
      const speed = seconds > 0.5 ? " \u00b7 " + megabytes(event.loaded / seconds) + "/s" : "";
      bar.value = Math.floor((1000 * event.loaded) / (event.total || 1));
      panel.querySelector("[data-amount]").textContent =
        event.loaded < event.total
          ? megabytes(event.loaded) + " / " + megabytes(event.total) + speed
          : form.dataset.checking;
    });
    request.addEventListener("error", () => refuse(form.dataset.broken));
    request.addEventListener("abort", () => refuse(form.dataset.broken));
    request.addEventListener("load", () => {
      let answer = {};
      try {
        answer = JSON.parse(request.responseText);
      } catch {
        // An answer of a proxy, not ours: the sentence below says what can be said.
      }
      if (request.status === 201 && answer.location) {
        window.location.assign(answer.location);
      } else {
        refuse(answer.error ? answer.error.message : form.dataset.broken);
      }
    });
    request.open("POST", form.action);
    request.setRequestHeader("Accept", "application/json");
    request.send(body);
  }

  input.addEventListener("change", () => {
    if (input.files.length === 1) {
      send(input.files[0]);
    }
  });
  form.addEventListener("dragover", (event) => {
    event.preventDefault();
    form.classList.add("drop-zone--over");
  });
  form.addEventListener("dragleave", () => form.classList.remove("drop-zone--over"));
  form.addEventListener("drop", (event) => {
    event.preventDefault();
    form.classList.remove("drop-zone--over");
    const [file] = event.dataTransfer.files;
    if (file && !input.disabled) {
      send(file);
    }
  });
}

document.querySelectorAll("form[data-upload]").forEach(prepare);
