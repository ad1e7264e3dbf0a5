// Opening as a Mini App: Telegram puts signed words behind the address. They are sent to the portal once, and leave the
// address, so that no link, picture or history of this page carries them on.
const form = document.getElementById("mini");
const given = new URLSearchParams(location.hash.slice(1)).get("tgWebAppData");
if (form && given) {
  history.replaceState(null, "", location.pathname + location.search);
  form.elements.init_data.value = given;
  form.submit();
} else if (form) {
  document.getElementById("mini-none").hidden = false;
  document.getElementById("mini-waits").hidden = true;
}
