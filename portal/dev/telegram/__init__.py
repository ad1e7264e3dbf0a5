"""A stand-in for Telegram's Bot API server: real HTTP, no account, no network, and a page that looks like a phone.

Written from https://core.telegram.org/bots/api and not from our bot, so that a bot that misunderstands Telegram fails
here as it would fail there. It is stricter where Telegram forgives: an unknown field is refused, not ignored.

| file | holds |
| --- | --- |
| `server.py` | the HTTP server; `serving()` runs it inside a test |
| `control.py` | `/ctl/`: what people do, faults, clock, delivery; its docstring is the reference |
| `client.py` | the same for Python tests: `world.user("Lena")`, `user.say("/today")`, `user.press("Confirm")` |
| `params.py`, `markup.py`, `entities.py` | what a call may carry; malformed is refused in Telegram's words |
| `calls.py`, `calls_media.py`, `calls_updates.py`, `dispatch.py` | the methods |
| `world.py`, `actions.py`, `shapes.py`, `files.py` | users, chats, messages; what people do; their JSON |
| `limits.py`, `faults.py`, `clock.py` | 429, failures on demand, time |
| `updates.py`, `webhook.py` | the way of an update to the bot |
| `page.py`, `static/` | the phone |
| `running.py` | `portal dev telegram` |
"""
