"""The server: federated averaging, whose rounds are recorded."""

from flwr.app import ArrayRecord, Context
from flwr.serverapp import Grid, ServerApp
from flwr.serverapp.strategy import FedAvg

from digits_app.task import make_model
from pytest_leakpro.flower import audit_strategy

app = ServerApp()


@app.main()
def main(grid: Grid, context: Context) -> None:
    """Average what the clients send, for as many rounds as the run asks for."""
    strategy = audit_strategy(FedAvg(fraction_evaluate=0.0), context.run_config["leakpro-dir"])
    strategy.start(
        grid=grid,
        initial_arrays=ArrayRecord(make_model().state_dict()),
        num_rounds=int(context.run_config["num-server-rounds"]),
    )
