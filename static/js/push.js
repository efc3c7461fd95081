// Turns notices on for this device: the browser asks its owner, and names an address and keys, which go in a form.
for (const form of document.querySelectorAll("form[data-push]")) {
  const can = "serviceWorker" in navigator && "PushManager" in window && "Notification" in window;
  const button = form.querySelector("button"), status = form.querySelector("[role=status]");
  form.hidden = !can;
  document.querySelector("[data-without-push]").hidden = can;

  const subscribe = async () => {
    const { pushManager } = await navigator.serviceWorker.ready;
    // An address that was made for another key takes nothing of ours.
    await (await pushManager.getSubscription())?.unsubscribe();
    return pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: form.dataset.push });
  };

  button.addEventListener("click", async () => {
    status.textContent = status.dataset.asking;
    if (await Notification.requestPermission() !== "granted") {
      status.textContent = status.dataset.denied;
      return;
    }
    try {
      const { endpoint, keys } = (await subscribe()).toJSON();
      form.elements.endpoint.value = endpoint;
      form.elements.p256dh.value = keys.p256dh;
      form.elements.auth.value = keys.auth;
      form.submit();
    } catch {
      status.textContent = status.dataset.failed;
    }
  });
}
