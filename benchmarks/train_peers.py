"""The other trainers, run by train.py in an environment of their own: `train_peers.py ARM JOB`.

All train a GPT2LMHeadModel (nano: train_nano.py) of the same shape in fp32 with AdamW on the same tokens, each in its
own usual way: transformers' Trainer, fastai's Learner with one cycle, Lightning's Trainer, a loop with accelerate, a
plain loop, a nanoGPT-style loop. Nothing is saved or logged while the time is taken.
"""

# mypy: disable-error-code="import-not-found"

from __future__ import annotations

import tempfile
from typing import Any

import torch
from torch.utils.data import DataLoader, Dataset

from train_job import Job, Meter, answer, batches, gpt2, keep


class Rows(Dataset[Any]):
    """Sequences, each as a dictionary for the transformers library or as a pair of inputs and labels."""

    def __init__(self, job: Job, *, pairs: bool = False) -> None:
        self.rows, self.labels = (batches(job, shift=shift).reshape(-1, job.length) for shift in (0, 1))
        self.pairs = pairs

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> Any:
        if self.pairs:
            return self.rows[index], self.labels[index]
        return {"input_ids": self.rows[index], "labels": self.rows[index]}  # it shifts them itself


def trainer(job: Job) -> dict[str, float]:
    """Its defaults: fused AdamW, gradients clipped at 1."""
    from transformers import Trainer, TrainerCallback, TrainingArguments

    meter = Meter(job)

    class Listen(TrainerCallback):
        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            meter.at(state.global_step)

    with tempfile.TemporaryDirectory() as folder:
        arguments = TrainingArguments(
            folder, per_device_train_batch_size=job.batch, max_steps=job.warm + job.steps, learning_rate=job.rate,
            save_strategy="no", logging_strategy="no", report_to=[], disable_tqdm=True, use_cpu=True,
        )  # fmt: skip
        Trainer(gpt2(job), arguments, train_dataset=Rows(job), callbacks=[Listen()]).train()
    return meter.found


def fastai(job: Job) -> dict[str, float]:
    """fit_one_cycle with its own AdamW; gradients are not clipped."""
    from fastai.callback import schedule  # noqa: F401  gives Learner its fit_one_cycle
    from fastai.callback.core import Callback, CancelValidException
    from fastai.data.core import DataLoaders
    from fastai.data.load import DataLoader as Loader
    from fastai.learner import Learner
    from fastai.losses import CrossEntropyLossFlat

    meter = Meter(job)

    class Listen(Callback):  # type: ignore[misc]
        def after_pred(self) -> None:  # the logits alone, as in fastai's tutorial on transformers
            self.learn.pred = self.pred.logits

        def before_train(self) -> None:
            meter.at(0)

        def after_batch(self) -> None:
            meter.at(self.train_iter)

        def before_validate(self) -> None:
            raise CancelValidException

    rows = Rows(job, pairs=True)
    loaders = DataLoaders(*(Loader(rows, bs=job.batch, shuffle=True, num_workers=0) for _ in range(2)), device="cpu")
    model = gpt2(job)
    learner = Learner(loaders, model, loss_func=CrossEntropyLossFlat(), cbs=[Listen()])
    with learner.no_bar(), learner.no_logging():
        learner.fit_one_cycle(1, job.rate)
    keep(job, model)
    return meter.found


def lightning(job: Job) -> dict[str, float]:
    """Its defaults on one processor with fused AdamW; gradients are not clipped."""
    import pytorch_lightning as light

    meter, module = Meter(job), gpt2(job)

    class Module(light.LightningModule):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.model = module

        def training_step(self, batch: Any, index: int) -> Any:
            return self.model(**batch).loss

        def configure_optimizers(self) -> Any:
            return torch.optim.AdamW(self.parameters(), lr=job.rate, fused=True)

        def on_train_batch_end(self, *_: Any) -> None:
            meter.at(self.global_step)

    with tempfile.TemporaryDirectory() as folder:
        runner = light.Trainer(
            accelerator="cpu", devices=1, max_steps=job.warm + job.steps, logger=False, enable_checkpointing=False,
            enable_progress_bar=False, enable_model_summary=False, default_root_dir=folder,
        )  # fmt: skip
        runner.fit(Module(), DataLoader(Rows(job), batch_size=job.batch, shuffle=True))
    return meter.found


def accelerate(job: Job) -> dict[str, float]:
    """The library's usual loop; gradients are not clipped."""
    from accelerate import Accelerator

    helper, meter, module = Accelerator(cpu=True), Meter(job), gpt2(job)
    optimizer = torch.optim.AdamW(module.parameters(), lr=job.rate, fused=True)
    model, optimizer, loader = helper.prepare(
        module, optimizer, DataLoader(Rows(job), batch_size=job.batch, shuffle=True)
    )
    for step, batch in enumerate(loader, start=1):
        helper.backward(model(**batch).loss)
        optimizer.step()
        optimizer.zero_grad()
        meter.at(step)
    return meter.found


def plain(job: Job) -> dict[str, float]:
    """Four lines of torch; gradients are not clipped."""
    model, meter = gpt2(job), Meter(job)
    optimizer = torch.optim.AdamW(model.parameters(), lr=job.rate, fused=True)
    for step, ids in enumerate(batches(job), start=1):
        model(input_ids=ids, labels=ids).loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        meter.at(step)
    return meter.found


def nano(job: Job) -> dict[str, float]:
    """The nanoGPT manner: its model, fused AdamW, gradients clipped at 1."""
    from train_nano import Nano

    model, meter = Nano(job), Meter(job)
    optimizer = torch.optim.AdamW(model.parameters(), lr=job.rate, betas=(0.9, 0.95), fused=True)
    for step, (ids, labels) in enumerate(zip(batches(job), batches(job, shift=1), strict=True), start=1):
        model(ids, labels).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        meter.at(step)
    return meter.found


ARMS = {one.__name__: one for one in (trainer, fastai, lightning, accelerate, plain, nano)}

if __name__ == "__main__":
    answer(ARMS)
