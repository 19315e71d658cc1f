"""`deploy/template.yaml` as CloudFormation reads it: its resources with all that they hold, for given parameters."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import yaml

TEMPLATE: Final = Path(__file__).parents[1] / "deploy" / "template.yaml"
VALUES: Final[Mapping[str, str]] = {
    "ProjectName": "demo",
    "PipelineName": "ndr",
    "LandingBucket": "landing-bucket",
    "LandingPrefix": "landing/demo",
    "DeltasBucket": "deltas-bucket",
    "DeltasPrefix": "deltas/demo",
    "FeaturesPrefix": "deltas/demo/features",
    "CodeBucket": "code-bucket",
    "CodePrefix": "ndr",
    "JobSpecTable": "specs",
    "KmsKeyArn": "arn:aws:kms:eu-west-1:123456789012:key/deltas",
    "LandingKeyArn": "arn:aws:kms:eu-west-1:123456789012:key/landing",
    "VolumeKeyArn": "arn:aws:kms:eu-west-1:123456789012:key/volume",
    "Subnet": "subnet-1",
    "SecurityGroup": "sg-1",
}
"""Parameters with which each resource of the template is made."""

_PSEUDO: Final = {
    "AWS::Region": "eu-west-1",
    "AWS::AccountId": "123456789012",
    "AWS::Partition": "aws",
}
_NOTHING: Final = object()
_ARNS: Final = {
    "AWS::IAM::Role": ("RoleName", "arn:aws:iam::123456789012:role/"),
    "AWS::StepFunctions::StateMachine": (
        "StateMachineName",
        "arn:aws:states:eu-west-1:123456789012:stateMachine:",
    ),
    "AWS::SNS::Topic": ("TopicName", "arn:aws:sns:eu-west-1:123456789012:"),
}
"""Type -> the property with a resource's name, and what stands before it in its ARN."""


class _Loader(yaml.SafeLoader):
    """Reads `!Sub x` as {"Fn::Sub": x}, and so on."""


def _tagged(loader: _Loader, tag: str, node: yaml.Node) -> dict[str, Any]:
    name = tag if tag == "Ref" else f"Fn::{tag}"
    if isinstance(node, yaml.ScalarNode):
        return {name: loader.construct_scalar(node)}
    assert isinstance(node, yaml.SequenceNode)
    return {name: loader.construct_sequence(node, deep=True)}


_Loader.add_multi_constructor("!", _tagged)


def template() -> dict[str, Any]:
    """Give the template, its functions as mappings of their names."""
    found: dict[str, Any] = yaml.load(TEMPLATE.read_text(), _Loader)
    return found


def resources(**parameters: str) -> dict[str, dict[str, Any]]:
    """Give the resources that are made with the usual parameters and these: type and properties by name."""
    read = _Reader(template(), {**VALUES, **parameters})
    return {
        name: {
            "Type": one["Type"],
            "Properties": read.value(one["Properties"]),
            "DeletionPolicy": one.get("DeletionPolicy", "Delete"),
        }
        for name, one in read.template["Resources"].items()
        if "Condition" not in one or read.holds(one["Condition"])
    }


def properties(name: str, **parameters: str) -> dict[str, Any]:
    """Give the properties of a resource, likewise."""
    found: dict[str, Any] = resources(**parameters)[name]["Properties"]
    return found


def statements(name: str, **parameters: str) -> list[dict[str, Any]]:
    """Give what a role's own policy, or a policy, allows, likewise."""
    found = properties(name, **parameters)
    if "Policies" in found:
        (found,) = found["Policies"]
    listed: list[dict[str, Any]] = found["PolicyDocument"]["Statement"]
    return listed


class _Reader:
    """Reads values of a template with parameters."""

    def __init__(self, template: dict[str, Any], given: Mapping[str, str]) -> None:
        known = template["Parameters"]
        assert set(given) <= set(known), set(given) - set(known)
        defaults = {name: one["Default"] for name, one in known.items() if "Default" in one}
        self.template = template
        self.parameters = {**_PSEUDO, **defaults, **given}
        assert set(known) <= set(self.parameters), set(known) - set(self.parameters)

    def holds(self, condition: str) -> bool:
        """Whether a condition of the template holds."""
        return self._is_true(self.template["Conditions"][condition])

    def value(self, value: Any) -> Any:
        """Give a value with its functions computed."""
        if isinstance(value, list):
            return [made for item in value if (made := self.value(item)) is not _NOTHING]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            (name, argument) = next(iter(value.items()))
            if name == "Ref":
                return self._reference(argument)
            if name == "Fn::GetAtt":
                return self._arn(argument.removesuffix(".Arn"))
            if name == "Fn::Sub":
                return re.sub(
                    r"\$\{([\w:]+)\}", lambda found: str(self._reference(found[1])), argument
                )
            if name == "Fn::If":
                condition, one, other = argument
                return self.value(one if self.holds(condition) else other)
        made = {key: self.value(item) for key, item in value.items()}
        return {key: item for key, item in made.items() if item is not _NOTHING}

    def _is_true(self, test: dict[str, Any]) -> bool:
        ((name, argument),) = test.items()
        if name == "Fn::Equals":
            one, other = map(self.value, argument)
            return bool(one == other)
        assert name == "Fn::Not", name
        return not self._is_true(argument[0])

    def _reference(self, name: str) -> Any:
        if name == "AWS::NoValue":
            return _NOTHING
        if name in self.parameters:
            return self.parameters[name]
        arn: str = self._arn(name)
        is_role = self.template["Resources"][name]["Type"] == "AWS::IAM::Role"
        return arn.rpartition("/")[2] if is_role else arn

    def _arn(self, name: str) -> str:
        resource = self.template["Resources"][name]
        key, before = _ARNS[resource["Type"]]
        own: str = self.value(resource["Properties"][key])
        return before + own
