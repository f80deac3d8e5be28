"""Autologging of Lightning and transformers, on tiny models made here; see `scripts.mlflow_flavours`."""

import lightning
import mlflow
import torch
from transformers import BertConfig, BertForSequenceClassification, Trainer, TrainingArguments


class Line(lightning.LightningModule):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(2, 1)

    def forward(self, features):
        return self.layer(features)

    def training_step(self, batch, _):
        features, target = batch
        loss = torch.nn.functional.mse_loss(self(features), target)
        self.log("train_loss", loss, on_epoch=True)
        return loss

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.1)


def case_lightning_is_logged_by_itself(client, experiment_id, folder):
    mlflow.set_experiment(experiment_id=experiment_id)
    mlflow.pytorch.autolog()
    features = torch.randn(64, 2)
    data = torch.utils.data.TensorDataset(features, features.sum(1, keepdim=True))
    trainer = lightning.Trainer(
        max_epochs=3, accelerator="cpu", logger=False, enable_progress_bar=False, default_root_dir=str(folder)
    )
    with mlflow.start_run() as run:
        trainer.fit(Line(), torch.utils.data.DataLoader(data, batch_size=16))
    mlflow.pytorch.autolog(disable=True)
    found = client.get_run(run.info.run_id)
    assert found.data.params["optimizer_name"] == "SGD", found.data.params
    assert len(client.get_metric_history(run.info.run_id, "train_loss_epoch")) == 3, found.data.metrics
    model = mlflow.pytorch.load_model(f"models:/{found.outputs.model_outputs[0].model_id}")
    assert model(torch.zeros(1, 2)).shape == (1, 1)


class Tokens(torch.utils.data.Dataset):
    def __len__(self):
        return 32

    def __getitem__(self, index):
        tokens = torch.full((8,), index % 16)
        return {"input_ids": tokens, "attention_mask": torch.ones(8, dtype=torch.long), "labels": index % 2}


def case_transformers_is_logged_by_itself(client, experiment_id, folder):
    mlflow.set_experiment(experiment_id=experiment_id)
    config = BertConfig(
        vocab_size=16, hidden_size=8, num_hidden_layers=1, num_attention_heads=1, intermediate_size=16, num_labels=2
    )
    arguments = TrainingArguments(
        output_dir=str(folder), num_train_epochs=2, logging_steps=1, report_to=["mlflow"], use_cpu=True
    )
    with mlflow.start_run() as run:
        Trainer(BertForSequenceClassification(config), arguments, train_dataset=Tokens()).train()
    found = client.get_run(run.info.run_id)
    assert found.data.params["hidden_size"] == "8"
    assert len(client.get_metric_history(run.info.run_id, "loss")) == 8, found.data.metrics
