"""Small repositories as people have them, file by file."""

from textwrap import dedent


def _files(**files):
    return {name.replace("__", "/") + ".py": dedent(text) for name, text in files.items()}


PACKAGE = {
    "src/churn/__init__.py": "",
    "pyproject.toml": '[project]\nname = "churn"\n\n[tool.pytest.ini_options]\naddopts = "-ra"\n',
    **_files(
        src__churn__data="""
        from sklearn.datasets import load_breast_cancer
        from sklearn.model_selection import train_test_split

        def load_data(test_size=0.5):
            X, y = load_breast_cancer(return_X_y=True, as_frame=True)
            X_train, X_test, y_train, y_test = train_test_split(
                X, y, test_size=test_size, random_state=0
            )
            return X_train, X_test, y_train, y_test
        """,
        src__churn__model="""
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        from .data import load_data

        def build_model():
            return make_pipeline(StandardScaler(), LogisticRegression())

        def train_model(X_train, y_train):
            model = build_model()
            model.fit(X_train, y_train)
            return model

        def main():
            X_train, X_test, y_train, y_test = load_data()
            print(train_model(X_train, y_train).score(X_test, y_test))

        if __name__ == "__main__":
            main()
        """,
    ),
}

NETWORK = _files(
    train="""
    import torch
    from torch import nn
    from torch.utils.data import DataLoader, TensorDataset, random_split

    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.linear = nn.Linear(8, 8)

        def forward(self, x):
            return self.linear(x).relu()

    class Net(nn.Module):
        def __init__(self, hidden=8):
            super().__init__()
            self.block, self.out = Block(), nn.Linear(hidden, 2)

        def forward(self, x):
            return self.out(self.block(x))

    def get_datasets():
        generator = torch.Generator().manual_seed(0)
        X = torch.randn(600, 8, generator=generator)
        y = (X[:, 0] > 0).long()
        train_set, test_set = random_split(TensorDataset(X, y), [300, 300], generator=generator)
        return train_set, test_set

    def train(model, loader, epochs=2):
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        losses = []
        for epoch in range(epochs):
            for xb, yb in loader:
                optimizer.zero_grad()
                loss = nn.CrossEntropyLoss()(model(xb), yb)
                loss.backward()
                optimizer.step()
                losses.append(loss.item())
        return losses

    def main():
        train_set, test_set = get_datasets()
        train(Net(), DataLoader(train_set, batch_size=32, shuffle=True))

    if __name__ == "__main__":
        main()
    """
)

NETWORK_BY_ARRAYS = _files(
    net="""
    import torch
    from torch import nn

    class Net(nn.Module):
        def __init__(self, n_features):
            super().__init__()
            self.layers = nn.Linear(n_features, 2)

        def forward(self, x):
            return self.layers(x)

    def load_data():
        X, y = torch.randn(400, 3), torch.randint(2, (400,))
        return (X[:200], y[:200]), (X[200:], y[200:])

    def train(model, X, y, epochs=2):
        optimizer = torch.optim.Adam(model.parameters())
        for _ in range(epochs):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(X), y).backward()
            optimizer.step()
        return model
    """
)

POOL = _files(
    model="""
    from sklearn.datasets import load_wine
    from sklearn.metrics import accuracy_score
    from sklearn.model_selection import train_test_split
    from sklearn.tree import DecisionTreeClassifier

    def load_data():
        data = load_wine()
        X = data.data
        y = data.target
        return X, y

    def train(X, y, depth=2, random_state=42):
        tree = DecisionTreeClassifier(max_depth=depth, random_state=random_state)
        tree.fit(X, y)
        return tree

    def evaluate(model, X, y):
        return accuracy_score(y, model.predict(X))

    if __name__ == "__main__":
        X, y = load_data()
        X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.2)
        print(evaluate(train(X_train, y_train), X_test, y_test))
    """
)

SCRIPT = _files(
    fit_ridge="""
    from sklearn.datasets import load_diabetes
    from sklearn.linear_model import Ridge
    from sklearn.model_selection import train_test_split

    X, y = load_diabetes(return_X_y=True)
    X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=3)
    model = Ridge().fit(X_train, y_train)
    print(model.score(X_test, y_test))
    """
)

COHORT = _files(
    ml__records="""
    from dataclasses import dataclass
    import numpy as np

    @dataclass
    class Cohort:
        train: tuple
        holdout: tuple

    def load_cohort() -> Cohort:
        rng = np.random.default_rng(0)
        X = rng.normal(size=(600, 3))
        y = (X[:, 0] > 0).astype(int)
        return Cohort((X[:300], y[:300]), (X[300:], y[300:]))
    """,
    ml__models="""
    from records import load_cohort
    from sklearn.linear_model import LogisticRegression

    def train_logistic_regression(cohort):
        return {"model": LogisticRegression().fit(*cohort.train), "records": 300}
    """,
)

BUILDER = _files(
    model="""
    import numpy as np
    from sklearn.model_selection import train_test_split
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC

    def create_model():
        return Pipeline([("scale", StandardScaler()), ("svc", SVC())])

    def get_data():
        X = np.random.default_rng(0).normal(size=(200, 4))
        return train_test_split(X, X[:, 0] > 0, test_size=0.5, random_state=0)
    """
)

FINISHED = _files(
    train="""
    from sklearn.datasets import make_classification
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import train_test_split

    def prepare_data():
        X, y = make_classification(n_samples=300, random_state=1)
        Xtr, Xte, ytr, yte = train_test_split(X, y, random_state=2)
        return {"Xtr": Xtr, "ytr": ytr, "Xte": Xte, "yte": yte}

    def train():
        data = prepare_data()
        model = LogisticRegression()
        model.fit(data["Xtr"], data["ytr"])
        return model, model.score(data["Xte"], data["yte"])
    """
)

ALL_IN_ONE = _files(
    pipeline="""
    from sklearn.datasets import make_classification
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import train_test_split

    def run_experiment():
        X, y = make_classification(n_samples=300)
        X_train, X_test, y_train, y_test = train_test_split(X, y)
        model = LogisticRegression().fit(X_train, y_train)
        return model, X_train, X_test, y_train, y_test
    """
)

MAIN_ONLY = _files(
    train="""
    from sklearn.datasets import load_breast_cancer
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import train_test_split

    def main():
        X, y = load_breast_cancer(return_X_y=True)
        X_train, X_test, y_train, y_test = train_test_split(X, y)
        model = LogisticRegression().fit(X_train, y_train)
        print(model.score(X_test, y_test))

    if __name__ == "__main__":
        main()
    """
)

LACKING = _files(
    train="""
    from sklearn.ensemble import GradientBoostingClassifier
    from sklearn.model_selection import train_test_split

    def train(X, y, config):
        return GradientBoostingClassifier(**config).fit(X, y)

    def load(path):
        import pandas as pd

        table = pd.read_csv(path)
        return train_test_split(table.drop(columns="y"), table["y"])
    """
)

# Names that would be in the way of the test's own, or that pytest would collect.
AWKWARD = _files(
    model="""
    from sklearn.datasets import make_classification
    from sklearn.model_selection import train_test_split
    from sklearn.tree import DecisionTreeClassifier

    def test_train_data():
        X, y = make_classification(n_samples=300, random_state=0)
        a, b, c, d = train_test_split(X, y, random_state=0)
        return a, b, c, d

    def fit(features, outcomes):
        return DecisionTreeClassifier(max_depth=2).fit(features, outcomes)
    """
)

DIRECT = _files(
    recipe="""
    import numpy as np
    from sklearn.tree import DecisionTreeClassifier

    def load():
        X = np.random.default_rng(0).normal(size=(300, 3))
        y = (X[:, 0] > 0).astype(int)
        X_train, y_train, X_val, y_val, X_test, y_test = (
            X[:100], y[:100], X[100:200], y[100:200], X[200:], y[200:]
        )
        return X_train, y_train, X_val, y_val, X_test, y_test

    def fit(X, y, seed):
        return DecisionTreeClassifier(random_state=seed).fit(X, y)
    """
)


def write(folder, files):
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
