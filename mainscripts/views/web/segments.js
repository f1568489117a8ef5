// A row of buttons of which one is pressed.

export function segments(group, onChoose) {
  const press = chosen => {
    for (const button of group.children) {
      button.setAttribute("aria-pressed", String(button.dataset.value === chosen));
    }
  };
  group.addEventListener("click", event => {
    const value = event.target.closest("button")?.dataset.value;
    if (value === undefined) return;
    press(value);
    onChoose(value);
  });
  return {
    press,
    // Makes the buttons anew if their names changed.
    set(names, chosen) {
      const old = [...group.children].map(button => button.dataset.value);
      if (names.join("\n") !== old.join("\n")) {
        group.replaceChildren(...names.map(name => {
          const button = document.createElement("button");
          button.dataset.value = button.textContent = name;
          return button;
        }));
      }
      press(chosen);
    },
  };
}
