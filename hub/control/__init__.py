"""Control of a running hub: its verbs, the operations behind them, and the control socket."""
